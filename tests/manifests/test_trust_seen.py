"""What a machine remembers of time and roots between two looks."""

from pathlib import Path

import pytest

from manifests.errors import ExpiredMetadataError, UntrustedReleaseError
from manifests.trust_seen import ROOT_EVERY_S, Seen, read, remember
from tests.manifests.factory import DAY, DIGEST, NOW, Client, Publisher, new_signer

HOUR = DAY / 24


def test_a_clock_that_was_set_back_is_not_believed() -> None:
    assert Seen(latest_s=100.0).now(40.0) == 100.0


def test_a_clock_that_goes_on_is_believed() -> None:
    assert Seen(latest_s=100.0).now(140.0) == 140.0


def test_no_time_is_kept_that_is_later_than_the_newest_timestamps_expiry() -> None:
    assert Seen(latest_s=100.0).after(1e12, not_after=200.0, asked_root=False).latest_s == 200.0


def test_the_kept_time_never_goes_back() -> None:
    assert Seen(latest_s=100.0).after(40.0, not_after=200.0, asked_root=False).latest_s == 100.0


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"latest_s": "x", "root_asked_s": 1}', b"\xff"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "seen").write_bytes(damage)
    assert read(tmp_path) == Seen()


def test_what_is_remembered_is_read_again(tmp_path: Path) -> None:
    remember(tmp_path, Seen(), Seen(1e9, 2e9), at_once=False)
    assert read(tmp_path) == Seen(1e9, 2e9)


def test_a_look_a_minute_does_not_cost_a_write_each(tmp_path: Path) -> None:
    remember(tmp_path, Seen(1e9), Seen(1e9 + 60), at_once=False)
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_was_seen_expired_stays_so_when_the_clock_is_set_back(
    publisher: Publisher, client: Client
) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    for now in (NOW + 4 * DAY, NOW):
        with pytest.raises(ExpiredMetadataError):
            client.look_up(offline=True, now=now)


def test_a_clock_that_was_years_ahead_for_a_moment_does_no_lasting_harm(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    with pytest.raises(ExpiredMetadataError):
        client.look_up(now=NOW + 3_000 * DAY)
    publisher.now = NOW + DAY
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_while_nothing_is_new_the_next_root_is_not_asked_for(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    client.asked.clear()
    client.look_up(now=NOW + 5 * HOUR)
    assert client.asked == ["metadata/timestamp.json"]


def test_after_some_hours_the_next_root_is_asked_for_although_nothing_is_new(
    publisher: Publisher, client: Client
) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    client.asked.clear()
    later = NOW.timestamp() + ROOT_EVERY_S
    client.look_up(now=NOW + 6 * HOUR)
    assert client.asked == ["metadata/2.root.json", "metadata/timestamp.json"]
    assert read(client.cache).root_asked_s == later


def test_nothing_new_is_accepted_without_a_look_at_the_root(publisher: Publisher, client: Client) -> None:
    """Who holds a revoked online key, and may write the timestamp only, gets nowhere."""
    publisher.sign()
    publisher.promote()
    client.look_up()
    publisher.repository.rotate_root([publisher.keys["root"]], online=new_signer().public_key)
    timestamp = publisher.keys["online"]
    forged = publisher.timestamp()
    forged.signed.version += 1
    forged.sign(timestamp)
    publisher.store.replace("metadata/timestamp.json", forged.to_bytes())
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        client.look_up()
