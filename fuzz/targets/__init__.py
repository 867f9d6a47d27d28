"""One module for each engine: ``play(program, feed)`` runs a program.

HELD is the engine's declared limit: the bytes it may hold between two calls of ``receive``. PEAK is what it may use
during one, beyond ``harness.PER_BYTE`` for each byte that it was given.
"""
