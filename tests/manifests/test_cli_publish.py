"""`p2p-manifest publish` makes the packs that it is asked for, and says what they are worth."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.manifests.shell import Shell


@pytest.fixture
def published(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Versions 1, 2 and 3 of a product, each a little different."""
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path, capsys)
    for version in "123":
        write(tmp_path, version)
        shell(f"publish image --product shop --version {version} --store store")
    write(tmp_path, "4")
    return shell


def write(directory: Path, version: str) -> None:
    text = bytearray(Random(1).randbytes(50_000) * 4)
    text[1000 * int(version)] ^= 1
    (directory / "image").write_bytes(text + version.encode())


def bases(done: dict[str, Any]) -> list[str | None]:
    return [pack["base"] for pack in done["packs"]]


PUBLISH = "publish image --product shop --version 4 --store store"


def test_a_base_is_named_by_its_version(published: Shell) -> None:
    assert bases(published(f"{PUBLISH} --base 2 --base 1")) == ["2", "1"]


def test_so_many_bases_are_the_newest_before(published: Shell) -> None:
    assert bases(published(f"{PUBLISH} --bases 2")) == ["3", "2"]


def test_bases_follow_the_fleets_mix(published: Shell) -> None:
    (published.directory / "mix.json").write_text(json.dumps({"1": 900, "3": 9000, "2": 1, "0.9": 5}))
    done = published(f"{PUBLISH} --fleet-mix mix.json")
    assert [(pack["base"], pack["devices"]) for pack in done["packs"]] == [("3", 9000), ("1", 900)]
    assert "0.9, which 5 devices run, was not published here" in published.error


def test_it_says_what_a_pack_saves_and_costs(published: Shell) -> None:
    (pack,) = published(f"{PUBLISH} --base 3")["packs"]
    assert pack["missing_bytes"] - pack["storage_bytes"] == pack["saved_bytes_a_device"] > 0
    assert pack["storage_bytes"] < pack["fetch_bytes"] < pack["missing_bytes"]


def test_devices_without_a_base_get_all_chunks_compressed(published: Shell) -> None:
    assert bases(published(f"{PUBLISH} --compressed")) == [None]


def test_the_device_profile_has_them_by_itself(published: Shell) -> None:
    assert bases(published(f"{PUBLISH} --profile device")) == [None]
    assert bases(published("publish image --product other --version 4 --store store --no-compressed")) == []


def test_publishing_again_with_the_same_packs_is_no_news(published: Shell) -> None:
    first, second = (published(f"{PUBLISH} --bases 2") for _ in range(2))
    assert (first["digest"], second["new"]) == (second["digest"], False)


def test_a_release_is_no_base_of_itself(published: Shell) -> None:
    assert published.fails(f"{PUBLISH} --base 4") == (2, "p2p-manifest: --base 4 is the release itself\n")


def test_a_base_must_be_published(published: Shell) -> None:
    code, error = published.fails(f"{PUBLISH} --base 9")
    assert (code, "shop@9 was not published" in error) == (1, True)


def test_a_base_that_holds_every_chunk_needs_no_pack(published: Shell) -> None:
    write(published.directory, "3")
    assert bases(published(f"{PUBLISH} --bases 2")) == ["2"]
    assert "3 holds every chunk of it: no pack for it" in published.error


def test_whom_a_mix_leaves_without_a_pack_is_said(published: Shell) -> None:
    (published.directory / "mix.json").write_text('{"3": 9980, "2": 15, "1": 5}')
    assert bases(published(f"{PUBLISH} --fleet-mix mix.json")) == ["3"]
    assert "no pack for 2: its devices make 0.15% of all traffic" in published.error


def test_a_mix_that_is_none_is_a_usage_error(published: Shell) -> None:
    (published.directory / "mix.json").write_text("[]")
    code, error = published.fails(f"{PUBLISH} --fleet-mix mix.json")
    assert (code, "version to number of devices" in error) == (2, True)


def test_a_table_for_people_shows_who_fetches_what(published: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    from manifests.cli import main

    assert main(f"{PUBLISH} --base 3".split()) == 0
    assert "who has" in capsys.readouterr().out
