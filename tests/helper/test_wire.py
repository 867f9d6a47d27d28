from __future__ import annotations

import pytest

from fairlead.errors import ProtocolError
from fairlead.helper.wire import LARGEST, Message, Reader, encode


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_come_out_whole_however_they_come_in(size: int) -> None:
    messages: list[Message] = [{"id": 1, "op": "hosts"}, {}, {"name": "é" * 50}]
    data = b"".join(map(encode, messages))
    reader = Reader()
    assert [each for at in range(0, len(data), size) for each in reader.feed(data[at : at + size])] == messages


@pytest.mark.parametrize(
    "data",
    [
        (LARGEST + 1).to_bytes(4, "big"),
        b"\xff\xff\xff\xff",
        b"\0\0\0\1x",
        b"\0\0\0\2[]",
        b"\0\0\0\2\xff\xff",
        b"\0\0\0\0",
        (200_000).to_bytes(4, "big") + b"[" * 200_000,
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Reader().feed(data)


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        encode({"x": "y" * LARGEST})
