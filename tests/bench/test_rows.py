from __future__ import annotations

import pytest

from bench import private, services
from bench.errors import BenchError
from bench.rows import ROWS, check, choose


def test_no_two_rows_have_one_id() -> None:
    rows = (*ROWS, *services.ROWS, *private.ROWS)
    groups = {row.group for row in (*services.ROWS, *private.ROWS)}
    assert len({row.id for row in rows} | groups) == len(rows) + len(services.CROWDS) + len(private.GROUPS)


def test_all_rows_are_run_unless_some_are_named() -> None:
    assert choose([]) == ROWS
    assert choose([], services.ROWS) == services.ROWS
    assert choose(["seq"], services.ROWS) == ()


def test_by_id_and_by_group_in_the_table_s_order() -> None:
    assert [row.id for row in choose(["get-p50", "down1"])] == ["down1", "cpu-down", "get-p50"]
    assert [row.id for row in choose(["seq"])] == ["get-p50", "get-p99", "seq", "cpu-seq"]


def test_a_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BenchError, match="no row 'nope'"):
        check(["seq", "nope"], ROWS)
    check(["seq", "get-p50"], ROWS)


def test_reached_looks_the_right_way() -> None:
    more, less = choose(["down8"])[0], choose(["version"])[0]
    assert more.reached(1.3, 1.3)
    assert not more.reached(1.29, 1.3)
    assert less.reached(80, 80)
    assert not less.reached(81, 80)
    assert (more.target(1.3), less.target(80.0)) == (">= 1.3", "<= 80")
