"""`p2p-manifest advise` finds compression, and measures what it costs an update."""

import gzip
import struct
import zlib
from pathlib import Path

import pytest

from manifests.cli import main
from tests.manifests.delta.makings import noise, text
from tests.manifests.shell import Shell

TEXT = text(1, 20_000)


@pytest.fixture
def trees(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Two trees with a compressed text that differs at its start, and something plain."""
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        (tmp_path / name / "doc").mkdir(parents=True)
        (tmp_path / name / "doc" / "changelog.gz").write_bytes(gzip.compress(name.encode() + TEXT, mtime=0))
        (tmp_path / name / "plain").write_bytes(TEXT)
    return Shell(tmp_path, capsys)


def test_it_says_what_it_found_and_what_could_be_made_again(trees: Shell) -> None:
    done = trees("advise new")
    (file,) = done["files"]
    assert (file["path"], file["kinds"], file["streams"]) == ("doc/changelog.gz", ["gzip"], 1)
    assert (
        file["stored_bytes"] == file["recreatable_bytes"] == (trees.directory / "new/doc/changelog.gz").stat().st_size
    )
    assert file["expanded_bytes"] == len(TEXT) + 3
    assert list(file["recreated_by"].values()) == [1]


def test_with_the_release_before_it_measures_an_update(trees: Shell) -> None:
    done = trees("advise new --old old")
    assert done["update_closed_bytes"] > 0.9 * done["stored_bytes"]
    assert done["update_bytes"] < 0.1 * done["update_closed_bytes"]
    assert done["update_plain_bytes"] < 0.1 * done["update_closed_bytes"]


def test_what_both_have_just_so_is_not_measured(trees: Shell) -> None:
    alone = trees("advise new --old old")
    for name in ("old", "new"):
        (trees.directory / name / "same.gz").write_bytes(gzip.compress(noise(1, 90_000), mtime=0))
    both = trees("advise new --old old")
    assert both["update_closed_bytes"] == alone["update_closed_bytes"]
    assert both["stored_bytes"] > 90_000


def test_a_tree_that_did_not_change_sends_nothing(trees: Shell) -> None:
    done = trees("advise new --old new")
    assert (done["update_closed_bytes"], done["update_bytes"], done["update_plain_bytes"]) == (0, 0, 0)


def test_a_file_may_have_been_a_directory(trees: Shell) -> None:
    (trees.directory / "old" / "moved.gz").mkdir()
    (trees.directory / "new" / "moved.gz").write_bytes(gzip.compress(TEXT, mtime=0))
    assert trees("advise new --old old")["update_bytes"] > 0


def test_without_it_nothing_is_guessed(trees: Shell) -> None:
    assert trees("advise new")["update_bytes"] is None


def test_a_single_file_is_looked_into(trees: Shell) -> None:
    assert trees("advise new/doc/changelog.gz")["files"][0]["path"] == "changelog.gz"


def test_links_are_not_followed(trees: Shell) -> None:
    (trees.directory / "new" / "doc" / "again.gz").symlink_to("changelog.gz")
    assert trees("advise new")["streams"] == 1


def test_each_kind_has_its_advice(trees: Shell) -> None:
    (advice,) = trees("advise new")["advice"]
    assert "documentation" in advice


def test_a_tree_without_compression_is_praised(trees: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert trees("advise new/plain")["files"] == []
    assert main(["advise", "new/plain"]) == 0
    assert "as small as they can be" in capsys.readouterr().out


def test_people_see_a_table(trees: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "new", "--old", "old"]) == 0
    out = capsys.readouterr().out
    assert "made again" in out
    assert "stored as it is" in out


def test_a_path_that_is_not_there_is_an_error(trees: Shell) -> None:
    code, error = trees.fails("advise nowhere")
    assert (code, "nowhere" in error) == (1, True)


def squashfs(codec: int, content: bytes) -> bytes:
    return struct.pack("<4sIIIIHHHHHHQQ", b"hsqs", 1, 2, 3, 4, codec, 17, 0, 1, 4, 0, 0, 90_000) + content


def test_blocks_of_a_squashfs_are_streams(trees: Shell) -> None:
    for name in ("old", "new"):
        block = zlib.compress(name.encode() + TEXT, 9)
        (trees.directory / name / "root.squashfs").write_bytes(squashfs(1, noise(1, 5000) + block))
    done = trees("advise new/root.squashfs --old old/root.squashfs")
    (file,) = done["files"]
    assert (file["kinds"], file["streams"], file["expanded_bytes"]) == (["squashfs (gzip)"], 1, len(TEXT) + 3)
    assert done["update_bytes"] < 0.1 * done["update_closed_bytes"]
    assert "ship ext4 or erofs" in done["advice"][0]


def test_a_squashfs_of_which_nothing_is_known_is_advised_against_all_the_same(trees: Shell) -> None:
    for name in ("old", "new"):
        (trees.directory / name / "root.squashfs").write_bytes(squashfs(5, noise(name == "new", 90_000)))
    done = trees("advise new/root.squashfs --old old/root.squashfs")
    assert done["files"][0]["kinds"] == ["squashfs (lz4)"]
    assert (done["stored_bytes"], done["update_bytes"], len(done["advice"])) == (0, 0, 1)
