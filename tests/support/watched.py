"""A reflector on a FakeApi with virtual time, and everything that it told."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kit.tasks import Background
from fairlead.kube.reflector import Reflector, Timing
from fairlead.model.cache import Change
from fairlead.model.objects import Pod
from tests.support.fakeapi import FakeApi, names
from tests.support.loop import run_virtual
from tests.support.objects import PODS, pod


class Watched:
    """A reflector on a fake server, and everything it told."""

    def __init__(self, api: FakeApi, *, single: str = "", selector: str = "", timing: Timing | None = None) -> None:
        self.told: list[list[Change[Pod]]] = []
        self.troubles: list[FairleadError | None] = []
        self.polling: list[FairleadError] = []
        self.crowded: list[str] = []
        self.reflector: Reflector[Pod] = Reflector(
            api,
            f"{PODS}/{single}" if single else PODS,
            Pod.from_json,
            single=single,
            selector=selector,
            on_change=self.told.append,
            on_trouble=self.troubles.append,
            on_polling=self.polling.append,
            on_crowded=lambda: self.crowded.append("crowded"),
            timing=timing,
            chance=lambda: 0.0,
        )

    @property
    def names(self) -> list[str]:
        return names(self.reflector.cache)

    def moves(self) -> list[str]:
        """Everything told since last asked, as ``+web-1``, ``~web-1`` and ``-web-1``."""
        found = []
        for changes in self.told:
            for change in changes:
                item = change.new or change.old
                assert item is not None
                sign = "+" if change.old is None else "-" if change.new is None else "~"
                found.append(sign + item.name)
        self.told.clear()
        return found


Body = Callable[[FakeApi, Watched], Coroutine[Any, Any, None]]


def play(body: Body, *, prime: bool = True, **options: Any) -> None:
    async def main() -> None:
        api = FakeApi()
        api.put(PODS, pod("a"))
        watched = Watched(api, **options)
        if prime:
            await watched.reflector.prime()
        async with Background() as tasks:
            tasks.start(watched.reflector.run(), name="reflector")
            await body(api, watched)

    run_virtual(main())
