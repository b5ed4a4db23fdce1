"""What we lean on inside tuf is there, and does what we need."""

from pathlib import Path

import pytest

from manifests.trust_files import replace_durably
from manifests.trust_updater import MappingFetcher, NeededError, open_updater
from manifests.tuf_api import Updater
from tests.manifests.factory import NOW, Client, Publisher


def test_tuf_still_writes_its_cache_through_the_method_that_we_replace() -> None:
    assert callable(Updater._persist_file)


def test_the_reference_time_is_the_one_that_was_told(publisher: Publisher, tmp_path: Path) -> None:
    updater = open_updater(publisher.root, tmp_path / "cache", MappingFetcher({}), NOW.timestamp())
    assert updater._trusted_set.reference_time == NOW


def test_all_files_of_the_cache_are_written_by_us(
    publisher: Publisher, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def record(path: Path, data: bytes) -> None:
        written.append(path.name)
        replace_durably(path, data)

    monkeypatch.setattr("manifests.trust_updater.replace_durably", record)
    publisher.sign()
    publisher.promote()
    client.look_up()
    assert set(written) == {path.name for path in client.cache.rglob("*.json") if not path.is_symlink()}


def test_a_replaced_file_is_the_new_one_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    for data in (b"old", b"new"):
        replace_durably(tmp_path / "file", data)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"new"}


def test_what_is_missing_comes_through_tufs_own_handling_of_errors() -> None:
    with pytest.raises(NeededError):
        MappingFetcher({}).download_bytes("metadata/timestamp.json", 10)
