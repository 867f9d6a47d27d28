"""The one privileged process: a block of the hosts file and low ports, undone when its socket closes.

It runs under a bare ``python3 -I``: the standard library, ``errors``, ``model`` and ``policy`` are all it has. ``host``
starts it, speaks with it, and uses its plain modules.
"""
