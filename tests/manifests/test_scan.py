"""What is found on disk: what can't be released is refused all at once, and compared as far as that goes."""

import os
from pathlib import Path

import pytest

from manifests.entries import SYMLINK
from manifests.errors import PublishError, UnreleasableError
from manifests.scan import hard_links, scan, survey


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small root file system with all that no release may hold."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/su").write_bytes(b"su")
    (root / "usr/bin/su").chmod(0o4755)
    (root / "usr/bin/awk").symlink_to("/etc/alternatives/awk")
    (root / "usr/bin/home").symlink_to("/")
    (root / "bin").symlink_to("usr/bin")
    os.mkfifo(root / "pipe")
    return root


def test_all_that_is_refused_is_counted_in_one_message_that_says_what_to_do(root: Path) -> None:
    with pytest.raises(UnreleasableError, match=r"4 paths .* named pipe; .*; .*; and 1 more. .* an image of it \(tar"):
        scan(root)


def test_a_publisher_s_tree_is_the_publisher_s_own_error(root: Path) -> None:
    with pytest.raises(PublishError):
        scan(root)


def test_a_root_is_compared_with_links_as_seen_from_their_directory(root: Path) -> None:
    links = {one.entry.path: one.entry.target for one in survey(root).found if one.entry.kind == SYMLINK}
    assert links == {"bin": "usr/bin", "usr/bin/awk": "../../etc/alternatives/awk", "usr/bin/home": "../.."}


def test_a_root_is_compared_without_special_bits_and_without_what_has_no_bytes(root: Path) -> None:
    seen = survey(root)
    modes = {one.entry.path: one.entry.mode for one in seen.found}
    assert modes["usr/bin/su"] == 0o755
    assert "pipe" not in modes
    assert {one.path for one in seen.refused} == {"usr/bin/su", "usr/bin/awk", "usr/bin/home", "pipe"}


def test_a_link_that_leads_out_even_so_is_not_compared(root: Path) -> None:
    (root / "out").symlink_to("../../elsewhere")
    assert "out" not in {one.entry.path for one in survey(root).found}


def test_what_may_be_released_is_found_alike_either_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").symlink_to("a")
    assert scan(tmp_path) == (survey(tmp_path).found, True)


def test_hard_links_are_counted(tmp_path: Path) -> None:
    for name in ("a", "other"):
        (tmp_path / name).write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / "b")
    os.link(tmp_path / "a", tmp_path / "c")
    assert hard_links(scan(tmp_path)[0]) == 2
