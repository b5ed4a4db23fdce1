"""What the house rules look at: our files, as text and as syntax trees.

Every rule takes a root, so that it can be tried on a planted breach.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("manifests", "p2pd", "tracker", "seeder", "sim", "demo")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs", "packaging", ".ci")
TEXT_SUFFIXES = {"", ".css", ".html", ".js", ".lock", ".md", ".py", ".service", ".sh", ".sql", ".svg", ".toml"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Breach:
    """A rule broken at a place."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def python_files(root: Path, folders: tuple[str, ...] = (*PACKAGES, "tests", "benchmarks")) -> Iterator[Path]:
    """Our modules below `root`, in a stable order."""
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def text_files(root: Path) -> Iterator[Path]:
    """Everything that a person may read: sources, documents, configuration."""
    here = (path for path in root.iterdir() if path.is_file() and path.suffix in TEXT_SUFFIXES)
    yield from sorted(path for path in here if path.name != ".git")  # a file in a second work tree, not a part of it
    for folder in FOLDERS:
        yield from sorted(
            path
            for path in (root / folder).rglob("*")
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts
        )


def lines(path: Path) -> list[str]:
    """A file's lines, without their ends."""
    return path.read_text(encoding="utf-8").splitlines()


def syntax(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(tree: ast.Module) -> Iterator[Function]:
    """All functions and methods, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def project(root: Path = ROOT) -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def contract(name: str) -> dict[str, Any]:
    """One of import-linter's contracts."""
    contracts = project()["tool"]["importlinter"]["contracts"]
    return next(found for found in contracts if found["name"] == name)


def plant(root: Path, path: str, text: str) -> Path:
    """Write a file of a pretended repository."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return place
