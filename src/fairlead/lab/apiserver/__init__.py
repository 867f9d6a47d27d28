"""The API server: HTTP to the registry, and to the node for what only the node can do."""
