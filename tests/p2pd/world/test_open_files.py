"""Files kept open: few, and never closed under a writer."""

import os
from pathlib import Path

import pytest

from p2pd.world.open_files import OpenFiles


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    made = []
    for name in ("a", "b", "d/c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        made.append(str(path))
    return made


def test_a_file_is_opened_once(paths: list[str]) -> None:
    files = OpenFiles()
    with files.use(paths[0]) as first:
        pass
    with files.use(paths[0]) as second:
        assert first is second


def test_the_least_recently_used_is_closed(paths: list[str]) -> None:
    files = OpenFiles(files_max=2)
    used = []
    for path in (paths[0], paths[1], paths[0], paths[2]):
        with files.use(path) as file:
            used.append(file.descriptor)
    assert used[0] == used[2]
    assert is_open(used[0])
    assert len(files) == 2


def test_a_file_in_use_is_closed_only_afterwards(paths: list[str]) -> None:
    files = OpenFiles(files_max=1)
    with files.use(paths[0]) as held:
        with files.use(paths[1]):
            assert is_open(held.descriptor)
        os.pwrite(held.descriptor, b"still", 0)
    assert not is_open(held.descriptor)
    assert Path(paths[0]).read_bytes() == b"still"


def test_forgetting_a_directory_forgets_what_is_below(paths: list[str]) -> None:
    files = OpenFiles()
    for path in paths:
        with files.use(path):
            pass
    files.forget(os.path.dirname(paths[2]))
    assert len(files) == 2


def test_a_file_that_can_not_be_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    files = OpenFiles()
    with pytest.raises(FileNotFoundError):
        with files.use(f"{tmp_path}/nothing"):
            pass
    assert len(files) == 0
