"""What of a lab stays in the machine's own namespaces: its listening socket, its files, and the process that waits."""
