"""What is claimed of a daemon that is attacked, and whether a row says so when it is not kept."""

from dataclasses import replace

import pytest

from benchmarks.hostile.enemies import CROWDS, MEMBERS, TRACKERS, client_hello, sources
from benchmarks.hostile.rows import ANSWER_S_MAX, CPU_SHARE_MAX, GROWN_BYTES_MAX, LEFT_MIN, Row, line_of

GOOD = Row("pings", 3, 400.0, 400 * LEFT_MIN, LEFT_MIN, LEFT_MIN, CPU_SHARE_MAX, GROWN_BYTES_MAX, ANSWER_S_MAX)


def test_at_the_bounds_all_claims_are_kept() -> None:
    assert GOOD.missed == ()


@pytest.mark.parametrize(
    "change, word",
    [
        ({"left": 0.79}, "rate"),
        ({"cpu_share": 0.3}, "core"),
        ({"grown_bytes": 2**27}, "MiB"),
        ({"answer_s": 1.0}, "announce"),
    ],
)
def test_each_claim_that_is_missed_is_said(change: dict[str, float], word: str) -> None:
    row = replace(GOOD, **change)  # type: ignore[arg-type]
    assert [word in words for words in row.missed] == [True]
    assert "MISSED" in line_of(row)


def test_outsiders_come_from_everywhere() -> None:
    found = sources()
    addresses = {next(found) for _ in range(10_000)}
    assert len(addresses) == 10_000
    assert all(address.startswith("127.") for address in addresses)


def test_who_attacks_the_tracker_is_among_the_enemies() -> None:
    assert set(TRACKERS) <= {*CROWDS, *MEMBERS}


def test_the_first_flight_is_that_of_a_handshake() -> None:
    assert client_hello()[:2] == b"\x16\x03"
