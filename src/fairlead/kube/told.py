"""What a user is told of lists that are followed: each thing once, until it is over."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.errors import CredentialsError, FairleadError, ForbiddenError
from fairlead.kit import log
from fairlead.kube.reflector import MAX_OBJECTS, Timing

LOG = log.get(__name__)


class Told:
    """For all reflectors of one owner; ``say`` gets sentences."""

    def __init__(self, say: Callable[[str], None], timing: Timing | None) -> None:
        self._say = say
        self._every = (timing or Timing()).poll
        self._refused: set[str] = set()
        self._polled: set[str] = set()

    def trouble(self, what: str) -> Callable[[FairleadError | None], None]:
        """The ``on_trouble`` of a list: ``what`` says what is in it."""

        def told(error: FairleadError | None) -> None:
            if error is None:
                self._refused.discard(what)
            elif isinstance(error, ForbiddenError | CredentialsError) and what not in self._refused:
                # That the server is away is said by whoever keeps the connections; this only we see.
                self._refused.add(what)
                self._say(f"going on with the {what} known so far: {error}")

        return told

    def polling(self, what: str) -> Callable[[FairleadError], None]:
        """Its ``on_polling``."""

        def told(error: FairleadError) -> None:
            LOG.decision("no watch of the %s: %s", what, error.what)
            if what not in self._polled:
                self._polled.add(what)
                self._say(f"not allowed to watch the {what}: asking every {self._every:.0f} s")

        return told

    def crowded(self, what: str) -> Callable[[], None]:
        """Its ``on_crowded``."""
        return lambda: self._say(f"there are more than {MAX_OBJECTS} {what}: the others are left out")
