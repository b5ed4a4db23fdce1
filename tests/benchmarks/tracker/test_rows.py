"""A tracker's figures, and the claims."""

import pytest

from benchmarks.tracker.figures import percentile_ms
from benchmarks.tracker.rows import Row, judged, line_of


@pytest.mark.parametrize("share, value_ms", [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_seen(share: float, value_ms: float) -> None:
    assert percentile_ms([number / 1000 for number in range(1, 101)], share) == pytest.approx(value_ms)


def test_nothing_seen_is_no_time_at_all() -> None:
    assert percentile_ms([], 0.99) == 0.0


def test_a_row_within_all_claims_misses_none() -> None:
    good = Row(
        "p2p-tracker", "tls", 1, 10_000, announces_per_core_s=10_001, p99_ms=49, idle_host_bytes=44_000, storm_s=29
    )
    assert judged(good).missed == ()


@pytest.mark.parametrize(
    "row, claim",
    [
        (Row("p2p-tracker", "tls", 1, 10, announces_per_core_s=9_000), "9000 announces a core-second < 10000"),
        (Row("p2p-tracker", "tls", 1, 10, p99_ms=51), "p99 51 ms > 50"),
        (Row("p2p-tracker", "tls", 1, 10, idle_host_bytes=50_000), "50.0 KB an idle host > 45"),
        (Row("p2p-tracker", "tls", 1, 10, storm_s=31), "a storm of 31 s > 30"),
    ],
)
def test_every_claim_that_is_not_kept_is_named(row: Row, claim: str) -> None:
    assert list(judged(row).missed) == [claim]
    assert f"MISSED {claim}" in line_of(judged(row))


def test_what_was_not_measured_is_left_out() -> None:
    row = Row("opentracker", "udp", 1, 10, announces_per_s=9.0)
    assert "idle_host_bytes" not in row.plain()
    assert "idle" not in line_of(row)
