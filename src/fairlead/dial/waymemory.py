"""Which way to a pod worked for which API server, kept for a day in the user's cache folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from fairlead.errors import MachineError
from fairlead.host import dirs, files

DAY = 24 * 3600.0
"""Seconds that a memory is good for: servers and the proxies before them are upgraded."""
MAX_SERVERS = 200


class FileMemory:
    """The entry of one API server in a small JSON file; a file that cannot be read or written is no memory."""

    def __init__(self, server: str, env: Mapping[str, str]) -> None:
        self._server = server
        self._env = env
        try:
            self._path = os.path.join(dirs.cache_place(env), "ways.json")
        except MachineError:
            self._path = ""

    def recall(self) -> str | None:
        """The way that worked within the last day."""
        entry = self._load().get(self._server)
        return entry["way"] if entry and 0 <= time.time() - entry["at"] < DAY else None

    def remember(self, way: str | None) -> None:
        """Keep it, or forget with None."""
        if not self._path:
            return
        entries = self._load()
        entries.pop(self._server, None)
        if way is not None:
            entries[self._server] = {"way": way, "at": time.time()}
        kept = dict(list(entries.items())[-MAX_SERVERS:])
        try:
            dirs.cache(self._env)  # which is made when there is something to keep
            files.write_atomically(self._path, json.dumps(kept).encode())
        except MachineError:
            self._path = ""

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            with open(self._path, "rb") as file:
                entries = json.load(file)
            return {
                str(server): {"way": str(entry["way"]), "at": float(entry["at"])} for server, entry in entries.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
