"""What is installed is what was locked: every package by one version and the digests of its files, and nothing else."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.house.source import ROOT, Breach, plant, project

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-tpm.lock")
PIN = re.compile(
    r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==([^\s;\\]+)(?: ; [^\\]+)?((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)"
)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(path: Path) -> Iterator[str]:
    """What a lock file says, comments left out, continued lines together."""
    text = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.lstrip().startswith("#"))
    return (entry.strip() for entry in re.split(r"(?<!\\)\n", text) if entry.strip())


def unlocked(root: Path) -> Iterator[Breach]:
    """Entries that would let another file in than the one that was looked at."""
    for name in LOCKS:
        if (root / name).exists():
            yield from (Breach(name, entry[:80]) for entry in entries(root / name) if not PIN.fullmatch(entry))


def pinned(name: str) -> dict[str, set[str]]:
    """Versions by name: there may be one for each platform."""
    found: dict[str, set[str]] = {}
    for match in map(PIN.fullmatch, entries(ROOT / name)):
        if match:
            found.setdefault(canonical(match[1]), set()).add(match[2])
    return found


def wanted() -> set[str]:
    """What this project depends on by itself."""
    return {canonical(found[0]) for line in project()["project"]["dependencies"] if (found := NAME.match(line))}


def test_every_package_is_locked_by_version_and_digest() -> None:
    assert list(map(str, unlocked(ROOT))) == []


def test_what_we_depend_on_is_in_both_locks_in_the_same_version() -> None:
    shipped, developed = map(pinned, LOCKS[:2])
    assert wanted() - set(shipped) == set()
    assert {name for name, versions in shipped.items() if developed.get(name) != versions} == set()


def test_what_runs_here_is_what_was_locked() -> None:
    locked = pinned(LOCKS[0])
    assert {name for name in wanted() if version(name) not in locked[name]} == set()


def test_the_installation_refuses_what_is_not_in_the_lock() -> None:
    assert "--require-hashes -r requirements-dev.lock" in (ROOT / "packaging" / "setup.sh").read_text()


@pytest.mark.parametrize(
    "entry",
    [
        "httpx==0.28.1",
        f"httpx>=0.28 \\\n    --hash=sha256:{'0' * 64}",
        f"httpx==0.28.1 \\\n    --hash=md5:{'0' * 32}",
        "-e .",
        "https://example.org/httpx.whl",
    ],
)
def test_what_is_not_locked_is_found(tmp_path: Path, entry: str) -> None:
    plant(tmp_path, LOCKS[0], f"anyio==4.16.0 \\\n    --hash=sha256:{'0' * 64}\n    # via httpx\n{entry}\n")
    assert [breach.what for breach in unlocked(tmp_path)] == [entry[:80]]
