"""`p2p-manifest diff` explains the traffic between releases, files and trees."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.manifests.shell import Shell

NOISE = Random(1).randbytes(400_000)


@pytest.fixture
def two(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An old and a new image, one byte apart, published as shop 1 and 2, the second with a pack."""
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path, capsys)
    for name, data in (("old.img", NOISE), ("new.img", NOISE[:200_000] + b"!" + NOISE[200_001:])):
        (tmp_path / name).write_bytes(data)
    shell("publish old.img --product shop --version 1 --store store")
    shell("publish new.img --product shop --version 2 --store store --base 1")
    return shell


def test_a_published_pack_is_what_travels(two: Shell) -> None:
    done = two("diff shop@1 shop@2 --store store")
    assert done["packed"]
    assert done["reused"] + done["patched"] + done["full"] == done["new_bytes"] == len(NOISE)
    assert done["fetch_bytes"] < 2000 < done["patched"]
    assert done["requests"] == 2


def test_files_are_compared_as_if_they_were_published_with_patches(two: Shell) -> None:
    files, published = two("diff old.img new.img"), two("diff shop@1 shop@2 --store store")
    assert abs(files["fetch_bytes"] - published["fetch_bytes"]) < 50
    assert files["requests"] == published["requests"]


def test_whole_chunks_can_be_asked_for(two: Shell) -> None:
    done = two("diff shop@1 shop@2 --store store --no-patches")
    assert (done["packed"], done["patched"]) == (False, 0)
    assert done["fetch_bytes"] == done["full"] + done["manifest_bytes"] > 60_000


def test_a_file_is_cut_as_the_release_that_it_is_compared_with(two: Shell) -> None:
    assert two("diff shop@1 new.img --store store")["profile"] == "host"
    assert two("diff old.img new.img --profile device")["profile"] == "device"


def test_trees_are_compared_by_file(two: Shell) -> None:
    for name, byte in (("a", b"1"), ("b", b"2")):
        (two.directory / name).mkdir()
        (two.directory / name / "same").write_bytes(NOISE)
        (two.directory / name / "other").write_bytes(NOISE[:300_000] + byte)
    assert [file["path"] for file in two("diff a b")["files"] if file["fetch_bytes"]] == ["other"]


def test_what_if_shows_other_profiles(two: Shell) -> None:
    rows: list[dict[str, Any]] = two("diff old.img new.img --what-if device host")["what_if"]
    assert [row["profile"] for row in rows] == ["device", "host"]
    assert all(row["fetch_bytes"] < row["chunks_fetch_bytes"] for row in rows)


def test_what_if_works_from_the_stores_chunks(two: Shell) -> None:
    (stored,) = two("diff shop@1 shop@2 --store store --what-if device")["what_if"]
    (files,) = two("diff old.img new.img --what-if device")["what_if"]
    assert stored["requests"] == files["requests"]
    assert stored["fetch_bytes"] - stored["manifest_bytes"] == files["fetch_bytes"] - files["manifest_bytes"]


def test_the_picture_is_written(two: Shell) -> None:
    two("diff old.img new.img --html picture.html")
    assert (two.directory / "picture.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_manifest_as_a_file_is_a_release(two: Shell) -> None:
    digest = two("inspect shop@2 --store store")["digest"]
    (two.directory / "new.manifest").write_bytes((two.directory / "store/manifests" / digest).read_bytes())
    assert two("diff shop@1 new.manifest --store store")["packed"]


def test_a_pack_without_a_store_is_a_usage_error(two: Shell) -> None:
    names = []
    for version in (1, 2):
        digest = two(f"inspect shop@{version} --store store")["digest"]
        names.append(f"store/manifests/{digest}")
    code, error = two.fails(f"diff {' '.join(names)}")
    assert (code, "give --store URL" in error) == (2, True)


def test_an_old_file_that_is_not_there_is_named(two: Shell) -> None:
    code, error = two.fails("diff nowhere.img new.img")
    assert (code, "nowhere.img" in error) == (1, True)


def test_a_table_for_people_says_how_much_travels(two: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    from manifests.cli import main

    assert main(["diff", "old.img", "new.img", "--what-if", "bulk"]) == 0
    out = capsys.readouterr().out
    assert "travel (0." in out
    assert "what if" in out


def test_root_trees_are_compared_though_they_can_t_be_released(two: Shell) -> None:
    for name, byte in (("a", b"1"), ("b", b"2")):
        (two.directory / name / "etc").mkdir(parents=True)
        (two.directory / name / "etc/file").write_bytes(NOISE[:300_000] + byte)
        (two.directory / name / "etc/link").symlink_to(f"/{name}")
    done = two("diff a b --what-if device")
    changes = {file["path"]: file["change"] for file in done["files"]}
    assert (changes["etc/file"], changes["etc/link"]) == ("changed", "changed")
    assert [one["path"] for one in done["not_releasable"]] == ["etc/link"]
    assert "absolute" in done["not_releasable"][0]["why"]
