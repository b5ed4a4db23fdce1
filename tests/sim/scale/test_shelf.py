"""The place of machine code: shared by checkouts of the same sources, and by nobody else."""

import ast
import os
from pathlib import Path

import pytest

import sim
from sim import kept
from sim.scale import shelf

PACKAGE = Path(sim.__file__).parent
MAY_IMPORT = {"numpy", "numpy.typing", "typing", "collections.abc", "sim.facts"}


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    found = shelf.shelf_of(tmp_path / "cache", "abc")
    assert found is not None
    assert found.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc").chmod(0o777)
    assert shelf.shelf_of(tmp_path, "abc") is None


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "abc").symlink_to(tmp_path / "elsewhere")
    assert shelf.shelf_of(tmp_path, "abc") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert shelf.shelf_of(tmp_path / "file", "abc") is None


def test_versions_of_long_ago_go(tmp_path: Path) -> None:
    for number in range(kept.KEPT_MAX + 3):
        folder = shelf.shelf_of(tmp_path, f"version{number}")
        assert folder is not None
        os.utime(folder, (number, number))
    assert shelf.shelf_of(tmp_path, "newest") is not None
    assert sorted(folder.name for folder in tmp_path.iterdir()) == sorted(
        ["newest", *(f"version{number}" for number in range(3, kept.KEPT_MAX + 3))]
    )


@pytest.mark.parametrize("name", ["dice", "policy", "state", "members", "deliver", "kernel", "memory", "compiled"])
def test_the_digest_covers_all_that_a_kernel_is_made_from(name: str) -> None:
    tree = ast.parse((PACKAGE / "scale" / f"{name}.py").read_text())
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    outside = {module for module in modules if module.split(".")[0] not in ("numba", "llvmlite")}
    assert outside <= MAY_IMPORT
