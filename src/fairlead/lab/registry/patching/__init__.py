"""The three kinds of patches."""

from __future__ import annotations

from typing import Any

from fairlead.lab.registry import status
from fairlead.lab.registry.patching import json_patch, merge_patch, strategic
from fairlead.lab.registry.patching.errors import MalformedError, PatchError
from fairlead.lab.registry.values import Object

JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
CONTENT_TYPES = (JSON, MERGE, STRATEGIC)


def patched(type_name: str, value: Object, content_type: str, patch: Any) -> Any:
    """``value``, of that type in the table, as ``patch`` wants it, which may be of no type. Raises ApiStatusError."""
    try:
        if content_type == JSON:
            return json_patch.patched(value, patch)
        if content_type == STRATEGIC:
            return strategic.patched(type_name, value, patch)
        if content_type != MERGE:
            raise status.unsupported_media_type(content_type, CONTENT_TYPES)
        if not isinstance(patch, dict):
            raise MalformedError("a merge patch of an object is an object")
        return merge_patch.merged(value, patch)
    except RecursionError:
        raise status.bad_request("the patch is nested too deeply") from None
    except MalformedError as error:
        raise status.bad_request(str(error)) from None
    except PatchError as error:
        raise status.unprocessable(f"{status.REJECTED} ({error})") from None
