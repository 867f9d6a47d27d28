"""The images that the lab knows: what stands behind the names, and the programs that stand in for some of them."""
