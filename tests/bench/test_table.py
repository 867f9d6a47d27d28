from __future__ import annotations

import json

from bench.rows import Row
from bench.table import Results, as_json, render, verdict

SPEED = Row("speed", "g", "speed", "MB/s", True, base=1.5, floor=0.8)
TIME = Row("time", "g", "time", "ms", False, 1, absolute=80)
NOTE = Row("note", "h", "note", "MB", False)


def results(**speeds: list[float | None]) -> Results:
    found = Results(["kubectl", "fairlead", "floor"])
    for player, values in speeds.items():
        for value in values:
            found.add([SPEED], player, {} if value is None else {"speed": value})
    return found


def test_reached_needs_every_target() -> None:
    assert verdict(SPEED, results(kubectl=[100.0], fairlead=[150.0], floor=[180.0])) == "reached"
    assert verdict(SPEED, results(kubectl=[100.0], fairlead=[149.0], floor=[180.0])) == "short"
    assert verdict(SPEED, results(kubectl=[100.0], fairlead=[150.0], floor=[200.0])) == "short"


def test_a_missing_figure_is_no_verdict() -> None:
    assert verdict(SPEED, results(kubectl=[100.0], fairlead=[150.0])) == "?"
    assert verdict(SPEED, results(kubectl=[None], fairlead=[150.0], floor=[150.0])) == "?"
    assert verdict(TIME, results()) == "?"
    assert verdict(NOTE, results()) == ""


def test_a_target_that_is_a_figure_needs_no_peer() -> None:
    found = Results(["fairlead"])
    found.add([TIME], "fairlead", {"time": 79.9})
    assert verdict(TIME, found) == "reached"


def test_a_target_may_be_so_much_more_than_the_other() -> None:
    row = Row("trip", "g", "trip", "ms", False, 1, added=1)
    found = Results(["without", "run"], "without", "run")
    found.add([row], "run", {"trip": 1.2})
    assert verdict(row, found) == "?"
    found.add([row], "without", {"trip": 0.2})
    assert verdict(row, found) == "reached"
    assert "<= without + 1 ms" in render([row], found)
    found.add([row], "run", {"trip": 1.4})
    assert verdict(row, found) == "short"


def test_render_shows_median_and_spread() -> None:
    found = results(kubectl=[100.0, 110.0, 90.0], fairlead=[200.0, 210.0, 190.0], floor=[210.0, None, 220.0])
    found.load["g"] = [1.0, 2.5]
    head, line = render([SPEED], found).splitlines()
    assert head.split()[:4] == ["measure", "kubectl", "fairlead", "floor"]
    for piece in ("100 (90-110)", "200 (190-210)", "215 (210-220)", "2.00 (1.91-2.11)", ">= 1.5", "1.0-2.5", "reached"):
        assert piece in line


def test_columns_without_figures_are_left_out() -> None:
    found = Results(["kubectl", "fairlead", "floor"])
    found.add([TIME], "fairlead", {"time": 70.0})
    assert render([TIME], found).splitlines()[0].split() == ["measure", "fairlead", "target"]


def test_peers_are_compared_with_kubectl() -> None:
    found = Results(["kubectl", "fairlead", "other"])
    for player, value in (("kubectl", 100.0), ("fairlead", 200.0), ("other", 105.0)):
        found.add([SPEED], player, {"speed": value})
    text = render([SPEED], found)
    assert "other/kubectl" in text
    assert "1.05" in text


def test_json_has_every_sample() -> None:
    found = results(kubectl=[100.0, None], fairlead=[150.0, 160.0], floor=[180.0, 181.0])
    data = json.loads(json.dumps(as_json([SPEED], found, {"rounds": 2})))
    assert data["version"] == 1
    assert data["rounds"] == 2
    assert data["rows"][0]["samples"] == {"kubectl": [100.0, None], "fairlead": [150.0, 160.0], "floor": [180.0, 181.0]}
    assert data["rows"][0]["ratios"]["kubectl"] == 1.55
    assert data["rows"][0]["verdict"] == "reached"
