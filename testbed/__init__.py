"""A real one-node Kubernetes in a network namespace, for tests and for people: ``python3 -m testbed up``.

The machine outside is the laptop; it reaches the node's own address and nothing behind it. Standard library only.
``README.md`` in this folder has the picture, the commands and the traps.
"""
