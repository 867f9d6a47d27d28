"""A user, network and mount namespace of our own for one command, made without root (user_namespaces(7))."""
