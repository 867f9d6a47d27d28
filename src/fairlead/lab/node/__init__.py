"""The node: namespaces of its own, and the network in them."""
