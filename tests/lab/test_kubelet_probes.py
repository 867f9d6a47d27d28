"""What probes say of a container."""

from __future__ import annotations

from fairlead.lab.kubelet.probes import LIVENESS, READINESS, STARTUP, Probe, Probes


def failed(probes: Probes) -> Probe | None:
    return probes.failed


def is_started(probes: Probes) -> bool:
    return probes.started


def test_without_probes_all_is_well() -> None:
    probes = Probes({}, 0)
    assert (probes.started, probes.ready, probes.active, probes.failed) == (True, True, (), None)


def test_readiness_takes_as_many_answers_as_it_says() -> None:
    probe = Probe(READINESS, {"successThreshold": 2, "failureThreshold": 3, "periodSeconds": 1}, 0)
    said = [
        probe.answered(well, 0) for well in (True, False, True, True, True, False, False, True, False, False, False)
    ]
    assert [index for index, changed in enumerate(said) if changed] == [3, 10]
    assert not probe.holds
    assert not probe.failed, "that is no reason to end it"


def test_liveness_ends_what_fails_too_often() -> None:
    probes = Probes({"livenessProbe": {}}, 0)
    [probe] = probes.active
    for _ in range(2):
        probe.answered(False, 0)
    assert failed(probes) is None
    probe.answered(True, 0)
    for _ in range(3):
        probe.answered(False, 0)
    assert failed(probes) is probe
    assert probes.ready, "liveness says nothing of that"


def test_the_others_wait_for_startup() -> None:
    probes = Probes({f"{kind}Probe": {"failureThreshold": 2} for kind in (STARTUP, LIVENESS, READINESS)}, 0)
    assert [probe.kind for probe in probes.active] == [STARTUP]
    assert not is_started(probes)
    probes.active[0].answered(False, 0)
    probes.active[0].answered(True, 0)
    assert is_started(probes)
    assert not probes.ready
    assert [probe.kind for probe in probes.active] == [LIVENESS, READINESS]
    never = Probes({"startupProbe": {"failureThreshold": 2}}, 0)
    for _ in range(2):
        never.active[0].answered(False, 0)
    assert never.failed is not None


def test_when_it_is_asked() -> None:
    probe = Probe(READINESS, {"initialDelaySeconds": 5, "periodSeconds": 2}, 100)
    assert probe.due == 105
    probe.answered(True, 105.5)
    assert probe.due == 107
    probe.answered(True, 120)
    assert probe.due == 120, "what was missed is not made up for"
