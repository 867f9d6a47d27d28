"""What keeps the cluster as it is wanted: one module for each controller, each a pure function over the store.

A controller is asked about one key and the time, and answers with steps (``steps``). Only ``runner`` does anything.
"""
