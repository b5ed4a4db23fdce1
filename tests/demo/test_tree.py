"""The three releases are real trees, and differ as the demo says."""

import subprocess
import sys
from pathlib import Path

import pytest

from demo import tree


def stand_in_library(root: Path) -> Path:
    """A library of a few packages; module 0 of each is imported by the service."""
    library = root / "site-packages"
    for package in (*tree.IMPORTED, "zlarge"):
        for module in ("__init__", "second", "third"):
            file = library / package / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f'"""{package} explained at some length. {"x" * 999}"""\n' + "a = [1, 2]\n" * 4_000)
    return library


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tree.Tree:
    library = stand_in_library(tmp_path)
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "glob.py").write_text('"""Names."""\n')
    places = {"stdlib": str(tmp_path / "stdlib"), "platlib": str(library)}
    monkeypatch.setattr("sysconfig.get_path", places.__getitem__)
    return tree.build(tmp_path / "1", bytes_min=100_000)


def check(release: tree.Tree) -> int:
    command = [sys.executable, "-I", "-S", "-B", "app/main.py", "--check"]
    return subprocess.run(command, cwd=release.path, capture_output=True, timeout=30, check=False).returncode


def changed_bytes(old: tree.Tree, new: tree.Tree) -> int:
    names = (file.relative_to(new.path) for file in tree.files(new.path))
    different = (name for name in names if (old.path / name).read_bytes() != (new.path / name).read_bytes())
    return sum((new.path / name).stat().st_size for name in different)


def test_release_1_is_large_enough_and_healthy(first: tree.Tree) -> None:
    assert first.total_bytes >= 100_000
    assert check(first) == 0


def test_release_2_is_healthy_and_differs_in_about_the_share_asked_for(first: tree.Tree, tmp_path: Path) -> None:
    second = tree.rebuild(first, tmp_path / "2", share=0.10)
    assert check(second) == 0
    assert 0.02 < changed_bytes(first, second) / second.total_bytes < 0.15


def test_making_release_2_leaves_release_1_as_it_was(first: tree.Tree, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in tree.files(first.path)}
    tree.rebuild(first, tmp_path / "2", share=1.0)
    assert {file: file.read_bytes() for file in tree.files(first.path)} == before


def test_release_3_is_not_healthy(first: tree.Tree, tmp_path: Path) -> None:
    assert check(tree.spoil(first, tmp_path / "3")) == 1


def test_a_health_check_leaves_no_file_behind(first: tree.Tree) -> None:
    before = tree.measure(first.path)
    check(first)
    assert tree.measure(first.path) == before


def test_too_little_to_offer_is_an_error(first: tree.Tree, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needed"):
        tree.build(tmp_path / "huge", bytes_min=10**12)


def test_a_link_to_a_place_on_this_machine_is_not_shipped(tmp_path: Path) -> None:
    source = tmp_path / "library"
    source.mkdir()
    (source / "module.py").write_text("")
    (source / "alias.py").symlink_to("module.py")
    (source / "sitecustomize.py").symlink_to(tmp_path / "elsewhere.py")
    tree.copy_tree(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["alias.py", "module.py"]
