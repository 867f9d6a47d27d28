from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.dial import waymemory
from fairlead.dial.waymemory import DAY, MAX_SERVERS, FileMemory

NOW = 1_700_000_000.0


class At:
    """The clock on the wall."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> At:
    at = At()
    monkeypatch.setattr(waymemory, "time", at)
    return at


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path)}


def file_of(env: dict[str, str]) -> Path:
    return Path(env["XDG_CACHE_HOME"]) / "fairlead" / "ways.json"


def test_the_next_run_knows_it(env: dict[str, str], clock: At) -> None:
    memory = FileMemory("https://a", env)
    assert memory.recall() is None
    memory.remember("websocket")
    assert FileMemory("https://a", env).recall() == "websocket"
    assert FileMemory("https://b", env).recall() is None


def test_it_forgets_after_a_day(env: dict[str, str], clock: At) -> None:
    memory = FileMemory("https://a", env)
    memory.remember("spdy")
    clock.now += DAY - 1
    assert memory.recall() == "spdy"
    clock.now += 1
    assert memory.recall() is None


def test_what_was_kept_in_the_future_counts_for_nothing(env: dict[str, str], clock: At) -> None:
    """The clock was set back."""
    memory = FileMemory("https://a", env)
    memory.remember("spdy")
    clock.now -= 10
    assert memory.recall() is None


def test_it_forgets_one_server_alone(env: dict[str, str], clock: At) -> None:
    one, other = FileMemory("https://a", env), FileMemory("https://b", env)
    one.remember("spdy")
    other.remember("websocket")
    one.remember(None)
    assert one.recall() is None
    assert other.recall() == "websocket"


def test_the_oldest_servers_make_room(env: dict[str, str], clock: At) -> None:
    for number in range(MAX_SERVERS + 1):
        FileMemory(f"https://{number}", env).remember("spdy")
    assert FileMemory("https://0", env).recall() is None
    assert FileMemory("https://1", env).recall() == "spdy"
    assert len(json.loads(file_of(env).read_text())) == MAX_SERVERS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "7",
        '{"https://a": 3}',
        '{"https://a": {"way": "spdy"}}',
        '{"https://a": {"way": "spdy", "at": "soon"}}',
        '{"https://a": {"way": "spdy", "at": null}}',
        "\x00\xff",
    ],
)
def test_a_file_of_something_else_is_no_memory_and_is_replaced(text: str, env: dict[str, str], clock: At) -> None:
    file_of(env).parent.mkdir(mode=0o700)
    file_of(env).write_text(text)
    memory = FileMemory("https://a", env)
    assert memory.recall() is None
    memory.remember("spdy")
    assert memory.recall() == "spdy"


@pytest.mark.parametrize("env", [{}, {"XDG_CACHE_HOME": "/dev/null"}, {"HOME": "relative"}])
def test_without_a_folder_there_is_no_memory_and_no_error(env: dict[str, Any]) -> None:
    memory = FileMemory("https://a", env)
    memory.remember("spdy")
    assert memory.recall() is None


def test_a_folder_that_cannot_be_written(env: dict[str, str], clock: At) -> None:
    memory = FileMemory("https://a", env)
    file_of(env).mkdir(parents=True)
    memory.remember("spdy")
    assert memory.recall() is None
    memory.remember("spdy")
