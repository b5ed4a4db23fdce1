"""Verifying finds every difference, and names it."""

import os
import shutil
from collections.abc import Callable
from hashlib import shake_256
from pathlib import Path

import pytest

from manifests.blobs import BlobStore
from manifests.contents import Problem, verify
from manifests.manifest import Manifest
from manifests.publish import publish
from tests.manifests.factory import RELEASE, write_tree

BIG = shake_256(b"big").digest(1_000_000)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {"bin/shop": BIG, "bin/till": "shop", "etc/a": b"aaaa", "etc/b": b"bbbb", "var": None}
    return write_tree(tmp_path / "tree", files)


@pytest.fixture
def manifest(tree: Path, store: BlobStore) -> Manifest:
    return publish(tree, store, RELEASE).manifest


def overwrite(path: Path, data: bytes) -> None:
    """Other content, same times: what bit rot does."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def keep_times(root: Path, change: Callable[[Path], object]) -> None:
    """Change something, and set the times of the directories back."""
    times = [(path, path.lstat()) for path in root.rglob("*") if path.is_dir()]
    change(root)
    for path, status in times:
        if path.is_dir() and not path.is_symlink():
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def relink(path: Path, target: str) -> None:
    times = path.lstat().st_mtime_ns
    path.unlink()
    path.symlink_to(target)
    os.utime(path, ns=(times, times), follow_symlinks=False)


def become_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: list[tuple[str, Callable[[Path], object], list[tuple[str, str]]]] = [
    ("nothing", lambda root: None, []),
    ("a bit", lambda root: overwrite(root / "bin/shop", BIG[:-1] + b"?"), [("bin/shop", "other content")]),
    (
        "a small file",
        lambda root: overwrite(root / "etc/b", b"bbbB"),
        [
            ("etc/a", "other content, here or in a file beside it"),
            ("etc/b", "other content, here or in a file beside it"),
        ],
    ),
    ("a mode", lambda root: (root / "etc/a").chmod(0o600), [("etc/a", "mode 600, not 644")]),
    ("a time", lambda root: os.utime(root / "bin/shop"), [("bin/shop", "another modification time")]),
    ("a link", lambda root: relink(root / "bin/till", "other"), [("bin/till", "points to 'other' instead of 'shop'")]),
    ("a directory gone", lambda root: (root / "var").rmdir(), [("var", "missing")]),
    ("a file too many", lambda root: (root / "var/x").write_bytes(b""), [("var/x", "not in the manifest")]),
    ("a directory too many", lambda root: (root / "y").mkdir(), [("y", "not in the manifest")]),
    (
        "a directory instead of a link",
        lambda root: become_directory(root / "bin/till"),
        [("bin/till", "a directory instead of a symlink")],
    ),
]


@pytest.mark.parametrize("change, problems", [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_difference_is_named(
    tree: Path, manifest: Manifest, change: Callable[[Path], object], problems: list[tuple[str, str]]
) -> None:
    keep_times(tree, change)
    assert verify(tree, manifest) == [Problem(*problem) for problem in problems]


def test_a_directory_that_became_a_link_is_not_followed(tree: Path, manifest: Manifest, tmp_path: Path) -> None:
    shutil.move(tree / "etc", tmp_path / "elsewhere")
    (tree / "etc").symlink_to(tmp_path / "elsewhere")
    assert [(problem.path, problem.what) for problem in verify(tree, manifest)] == [
        ("etc", "a symlink instead of a directory"),
        ("etc/a", "missing"),
        ("etc/b", "missing"),
    ]


def test_a_shorter_file_is_named_once_with_its_neighbours(tree: Path, manifest: Manifest) -> None:
    overwrite(tree / "etc/a", b"a")
    assert [(problem.path, problem.what) for problem in verify(tree, manifest)] == [
        ("etc/a", "1 bytes instead of 4"),
        ("etc/b", "other content, here or in a file beside it"),
    ]


def test_times_can_be_ignored(tree: Path, manifest: Manifest) -> None:
    os.utime(tree / "bin/shop")
    assert verify(tree, manifest, times=False) == []


def test_nothing_there_is_everything_missing(manifest: Manifest, tmp_path: Path) -> None:
    problems = verify(tmp_path / "nowhere", manifest)
    assert {problem.what for problem in problems} == {"missing"}


def test_a_file_instead_of_a_tree_is_everything_missing(manifest: Manifest, tree: Path) -> None:
    problems = verify(tree / "etc/a", manifest)
    assert {problem.what for problem in problems} == {"missing"}
