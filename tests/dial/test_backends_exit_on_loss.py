"""--exit-on-loss: one pod, and the end with it, like kubectl."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import LostError
from tests.support.loop import now, run_virtual
from tests.support.objects import PODS, pod
from tests.support.targets import Target, cluster


@pytest.mark.parametrize("words", ["a 80", "deploy/web 80", "svc/web 80"])
def test_exit_on_loss_keeps_to_one_pod_and_ends_with_it(words: str) -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        with pytest.raises(LostError) as caught:
            async with Target(api, words, exit_on_loss=True).running() as target:
                assert [each.split(":")[0] for each in target.ready] == ["a"]
                api.put(PODS, pod("a", ready=False, deleting=True))
                await asyncio.sleep(5)
                assert len(target.ready) == 1
                api.delete(PODS, "a")
                await asyncio.sleep(60)
        assert caught.value.what == "lost connection to pod"
        assert now() < 7

    run_virtual(main())


def test_exit_on_loss_does_not_care_for_other_pods() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        async with Target(api, "deploy/web 80", exit_on_loss=True).running() as target:
            api.delete(PODS, "b")
            await asyncio.sleep(60)
            assert target.ready == ["a:80"]

    run_virtual(main())
