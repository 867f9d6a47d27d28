from __future__ import annotations

import hashlib
import zlib

from fairlead.protocol.spdy.dictionary import DICTIONARY


def test_dictionary_is_the_drafts() -> None:
    assert len(DICTIONARY) == 1423
    assert hashlib.sha256(DICTIONARY).hexdigest() == "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
