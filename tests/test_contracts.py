"""What neither import-linter nor ruff can see of the rules in docs/explanation/architecture.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "fairlead"
PURE = {"errors", "settings", "model", "policy", "protocol"}
STANDARD_LIBRARY_ONLY = PURE | {"kit", "net", "relay", "helper"}

STARTS_TASKS = {"create_task", "ensure_future", "run_coroutine_threadsafe"}
IMPURE_BUILTINS = {"open", "input", "print"}
IMPURE_CALLS = {
    "now", "utcnow", "today",  # of datetime and date
    "uuid1", "uuid4", "urandom", "getrandbits", "token_bytes", "token_hex", "token_urlsafe",
}  # fmt: skip
IMPURE_MODULES = {
    "asyncio", "concurrent", "fcntl", "glob", "http", "io", "mmap", "multiprocessing", "os", "pathlib", "random",
    "secrets", "select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile",
    "threading", "time", "urllib.request", "uuid",
}  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """What is called, by its last name, and whether that is all of it: ``self.open()`` is ("open", False)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func.attr, False
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id, True


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every absolute import, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def broken_rules(layer: str, path: str, text: str) -> list[str]:
    """One line for each rule that the source ``text`` of a module in ``layer`` breaks."""
    tree = ast.parse(text)
    found = []
    for line, name, alone in calls(tree):
        if name in STARTS_TASKS and path != "kit/tasks.py":
            found.append(f"{path}:{line}: {name}: tasks are started with fairlead.kit.tasks")
        if layer in PURE and (name in IMPURE_CALLS or (alone and name in IMPURE_BUILTINS)):
            found.append(f"{path}:{line}: {name}: time, chance and I/O are arguments in {layer}")
    for line, name in imports(tree):
        top = name.partition(".")[0]
        if layer in PURE and (top in IMPURE_MODULES or name in IMPURE_MODULES):
            found.append(f"{path}:{line}: {name}: time, chance and I/O are arguments in {layer}")
        allowed = top in sys.stdlib_module_names or top == "fairlead" or (top == "uvloop" and path == "net/loop.py")
        if layer in STANDARD_LIBRARY_ONLY and not allowed:
            found.append(f"{path}:{line}: {name}: {layer} needs the standard library alone")
        if top == "uvloop" and path != "net/loop.py":
            found.append(f"{path}:{line}: uvloop is tried in net/loop.py and nowhere else")
    return found


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: file.relative_to(SOURCE).as_posix())
def test_the_sources_keep_the_rules(file: Path) -> None:
    path = file.relative_to(SOURCE).as_posix()
    layer = path.partition("/")[0].removesuffix(".py")
    assert broken_rules(layer, path, file.read_text()) == []


@pytest.mark.parametrize(
    ("layer", "path", "text"),
    [
        ("net", "net/x.py", "loop.create_task(coro())"),
        ("session", "session.py", "asyncio.get_running_loop().create_task(coro(), name='x')"),
        ("kit", "kit/x.py", "from asyncio import ensure_future\nensure_future(x)"),
        ("policy", "policy/x.py", "def when(): return datetime.now()"),
        ("policy", "policy/x.py", "def read():\n    import os"),
        ("model", "model/x.py", "uuid.uuid4()"),
        ("protocol", "protocol/x.py", "from secrets import token_bytes"),
        ("settings", "settings.py", "text = open('x').read()"),
        ("errors", "errors.py", "import urllib.request"),
        ("net", "net/x.py", "import h11"),
        ("kit", "kit/x.py", "import uvloop"),
        ("relay", "relay/x.py", "from yaml import load"),
        ("kube", "kube/x.py", "def f():\n    import uvloop"),
    ],
)
def test_a_broken_rule_is_seen(layer: str, path: str, text: str) -> None:
    assert broken_rules(layer, path, text)


@pytest.mark.parametrize(
    ("layer", "path", "text"),
    [
        ("kit", "kit/tasks.py", "group.create_task(coro, name=name)"),
        ("net", "net/loop.py", "import uvloop"),
        ("kube", "kube/x.py", "import h11, yaml"),
        ("policy", "policy/x.py", "from urllib.parse import urlsplit"),
        ("host", "host/x.py", "with open('/proc/net/tcp') as file: pass"),
    ],
)
def test_what_is_allowed_is_left_alone(layer: str, path: str, text: str) -> None:
    assert broken_rules(layer, path, text) == []
