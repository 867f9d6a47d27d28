"""What can go wrong, as one sentence."""


class BenchError(Exception):
    """Something could not be measured; the text says what and why."""
