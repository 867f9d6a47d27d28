"""Replays what the fuzzers kept: every input once found to do something new still breaks no promise."""

from __future__ import annotations

import pytest

from fuzz.harness import CORPUS, check, engines


@pytest.mark.parametrize("name", engines())
def test_every_input_that_was_kept_passes(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs
    for path in inputs:
        try:
            check(name, path.read_bytes())
        except Exception as error:
            pytest.fail(f"python -m fuzz --replay {path}: {error}")


def test_every_engine_has_a_corpus_and_no_corpus_is_left_over() -> None:
    assert {path.name for path in CORPUS.iterdir() if not path.name.startswith(".")} == set(engines())
