"""Ways to a port of a sandbox."""
