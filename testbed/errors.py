"""The one error of the test cluster: what is wrong and what to do, in a line that can be printed as it is."""

from __future__ import annotations


class TestbedError(Exception):
    """Something that a person has to act on; never a bug of the test cluster itself."""

    __test__ = False  # the name starts like a test class, and pytest would collect it
