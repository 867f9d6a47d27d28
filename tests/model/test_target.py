from __future__ import annotations

from fairlead.model.target import Backend, PodRef, TargetSpec


def test_the_uid_tells_a_pod_from_its_namesake() -> None:
    old, new = PodRef("ns", "a", "1"), PodRef("ns", "a", "2")
    assert old != new
    assert len({old, new, PodRef("ns", "a", "1")}) == 2


def test_a_fallback_is_the_same_backend() -> None:
    ref = PodRef("ns", "a", "1")
    assert Backend(ref, 80) == Backend(ref, 80, fallback=True)
    assert len({Backend(ref, 80), Backend(ref, 80, fallback=True), Backend(ref, 81)}) == 2


def test_a_target_is_written_as_it_was_typed() -> None:
    assert str(TargetSpec("Svc", "web", ())) == "Svc/web"
