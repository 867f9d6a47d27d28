"""What is wrong with a patch."""


class PatchError(Exception):
    """It does not fit the object; nothing is changed."""


class MalformedError(Exception):
    """It is no patch at all."""
