from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.selector import LabelSelector


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"matchLabels": {"tier": "a", "app": "web"}}, "app=web,tier=a"),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "tier", "operator": "In", "values": ["b", "a"]}],
            },
            "app=web,tier in (a,b)",
        ),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, "a notin (x)"),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]}, "!a,b"),
        ({"matchLabels": {"a": ""}}, "a="),
        ({}, ""),
        ({"matchLabels": None, "matchExpressions": None}, ""),
        ({"matchLabels": [], "matchExpressions": ["x"]}, ""),
    ],
)
def test_it_is_written_as_kubectl_does(value: dict[str, Any], expected: str) -> None:
    assert str(LabelSelector.from_json(value)) == expected


def test_labels_are_written_as_a_selector() -> None:
    assert str(LabelSelector.from_labels({"b": "2", "a": "1", "c": 3})) == "a=1,b=2"
