"""Events: what happened to an object, told so that the same again is counted and not told again."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from fairlead.lab.registry.kinds import EVENT
from fairlead.lab.registry.store import Object, Store
from fairlead.lab.registry.times import micro_stamp, stamp

REMEMBERED = 4096
"""Events that the same again is looked for among, and objects of which too much may be told: some megabytes."""
SIMILAR, SIMILAR_WITHIN = 10, timedelta(minutes=10)
"""Events of one object and reason with other texts, beyond which they are told as one."""
COMBINED = "(combined from similar events): "
BURST, REFILL = 25, timedelta(minutes=5)
"""Of one source about one object: so many at once, and one more each time; the rest is not told."""
SERIES = timedelta(minutes=6)
"""How long a series goes on without news."""

_Key: TypeAlias = tuple[str, ...]


class News(NamedTuple):
    """Something that happened."""

    source: str
    """Who says so, ``kubelet``."""
    about: Object
    reason: str
    message: str
    warning: bool = False
    field: str = ""
    """The part of the object that it is about, ``spec.containers{web}``."""
    node: str = ""
    """Where the source runs, for sources that run on each node."""
    action: str = ""
    """What was tried; an event that has it is of the newer form, with a series in place of a count."""


class _Tokens(NamedTuple):
    left: float
    at: datetime


class Recorder:
    """Knows what it told."""

    def __init__(self) -> None:
        self._told: OrderedDict[_Key, tuple[str, str, datetime]] = OrderedDict()
        self._texts: OrderedDict[_Key, dict[str, datetime]] = OrderedDict()
        self._tokens: OrderedDict[_Key, _Tokens] = OrderedDict()
        self._made = 0

    def note(self, store: Store, news: News, now: datetime) -> Object | None:
        """The event to store; it has a resourceVersion if it is there already. None if too much was told of late."""
        if not self._may_tell(news, now):
            return None
        similar = (news.source, *_reference(news).values(), "W" if news.warning else "N", news.reason, news.action)
        if not news.action and self._is_one_of_many(similar, news.message, now):
            news = news._replace(message=COMBINED + news.message)
            key = similar
        else:
            key = (*similar, news.message)
        if key in self._told:
            namespace, name, last = self._told[key]
            before = store.get(EVENT, namespace, name)
            if before is not None and not (news.action and now - last > SERIES):
                _remember(self._told, key, (namespace, name, now))
                return _again(before, news, now)
        self._made += 1
        event = _first(news, now, f"{int(now.timestamp() * 1e9) + self._made:x}")
        _remember(self._told, key, (event["metadata"]["namespace"], event["metadata"]["name"], now))
        return event

    def _may_tell(self, news: News, now: datetime) -> bool:
        key = (news.source, *_reference(news).values())
        tokens = self._tokens.get(key, _Tokens(BURST, now))
        left = min(float(BURST), tokens.left + (now - tokens.at) / REFILL)
        _remember(self._tokens, key, _Tokens(left - 1 if left >= 1 else left, now))
        return left >= 1

    def _is_one_of_many(self, key: _Key, message: str, now: datetime) -> bool:
        texts = {text: at for text, at in self._texts.get(key, {}).items() if now - at <= SIMILAR_WITHIN}
        if len(texts) < SIMILAR or message in texts:
            texts[message] = now
        _remember(self._texts, key, texts)
        return message not in texts


def _remember(memory: OrderedDict[_Key, Any], key: _Key, value: object) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _reference(news: News) -> dict[str, str]:
    meta = news.about["metadata"]
    found = {
        "kind": news.about["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": news.about["apiVersion"],
        "fieldPath": news.field,
    }
    return {name: value for name, value in found.items() if value}


def _first(news: News, now: datetime, mark: str) -> Object:
    meta = news.about["metadata"]
    event: Object = {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": f"{meta['name']}.{mark}", "namespace": meta.get("namespace", "default")},
        "involvedObject": {**_reference(news), "resourceVersion": meta.get("resourceVersion", "")},
        "reason": news.reason,
        "message": news.message,
        "type": "Warning" if news.warning else "Normal",
        "reportingComponent": news.source,
        "reportingInstance": news.node,
    }
    if news.action:
        event["reportingInstance"] = news.node or news.source  # the newer form has to name one
        times = {"eventTime": micro_stamp(now), "firstTimestamp": None, "lastTimestamp": None}
        return {**event, "source": {}, "action": news.action, **times}
    source = {"component": news.source, **({"host": news.node} if news.node else {})}
    times = {"eventTime": None, "firstTimestamp": stamp(now), "lastTimestamp": stamp(now)}
    return {**event, "source": source, **times, "count": 1}


def _again(before: Object, news: News, now: datetime) -> Object:
    if news.action:
        count = before.get("series", {}).get("count", 1) + 1
        return {**before, "series": {"count": count, "lastObservedTime": micro_stamp(now)}}
    return {**before, "message": news.message, "lastTimestamp": stamp(now), "count": before.get("count", 1) + 1}
