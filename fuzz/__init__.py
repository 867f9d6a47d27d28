"""Fuzzers for the engines of ``fairlead.protocol``.

The invariant: no input makes an engine raise anything but ProtocolError, call a listener against its contract, say
something else when the same bytes come in other pieces, or hold more memory than its declared limit.

An input is a small program (``fuzz.program``): the peer's frames, right and wrong, mixed with what our own side does.
``fuzz/targets/NAME.py`` says what a program means to one engine. A new engine needs such a module with a function
``play`` and the limits HELD and PEAK; nothing else has to be told.

    python -m fuzz --seconds 30            all engines, side by side on all cores
    python -m fuzz spdy_server --seed 7    one of them, as in an earlier run
    python -m fuzz --replay FILE           what a crash file did; ENGINE is the beginning of its name
    python -m fuzz --keep                  add what was found to fuzz/corpus, reduced to what each input adds

``tests/fuzz`` replays the corpus in every test run. Finding needs atheris (libFuzzer for Python).
"""
