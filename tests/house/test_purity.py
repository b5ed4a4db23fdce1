"""Brains do not wait, and take nothing from outside: if it is `def` it decides; if it is `async def` it does.

import-linter holds the same list of rooms (see test_floors); this finds what an import graph can't show.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Breach, contract, plant, python_files, syntax

PURE = contract("brains are pure")
FORBIDDEN = frozenset(PURE["forbidden_modules"])
ASYNC = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)


def is_pure_room(module: str, rooms: list[str]) -> bool:
    """Is this module, or a package around it, named as pure?"""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def reason(node: ast.AST) -> str | None:
    """Why this does not belong in a brain; None if it may."""
    if isinstance(node, ASYNC):
        return "waits"
    for name in imported(node):
        if name.split(".")[0] in FORBIDDEN:
            return f"imports {name}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}:
        return f"calls {node.func.id}()"
    return None


def impurities(root: Path, rooms: list[str]) -> Iterator[Breach]:
    for path in python_files(root):
        if is_pure_room(module_name(path, root), rooms):
            for node in ast.walk(syntax(path)):
                if found := reason(node):
                    place = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
                    yield Breach(place, f"a brain that {found}")


def test_brains_neither_wait_nor_reach_outside() -> None:
    assert list(map(str, impurities(ROOT, PURE["source_modules"]))) == []


def test_every_room_that_is_called_pure_exists() -> None:
    modules = {module_name(path, ROOT) for path in python_files(ROOT)}
    assert set(PURE["source_modules"]) <= modules


@pytest.mark.parametrize(
    "source",
    [
        "async def f() -> None: ...",
        "import trio",
        "from time import monotonic",
        "import os.path",
        "def f():\n    import logging",
        "print('hello')",
    ],
)
def test_an_impurity_is_found(tmp_path: Path, source: str) -> None:
    plant(tmp_path, "p2pd/swarm/breach.py", source)
    assert len(list(impurities(tmp_path, ["p2pd.swarm"]))) == 1


def test_a_body_may_wait(tmp_path: Path) -> None:
    plant(tmp_path, "p2pd/swarmbody.py", "import trio\nasync def f() -> None: ...")
    assert list(impurities(tmp_path, ["p2pd.swarm"])) == []
