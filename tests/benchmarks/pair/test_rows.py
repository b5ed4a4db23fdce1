"""A pair's figures, and the claims."""

from typing import Any

import pytest

from benchmarks.pair.rows import Row, beside, line_of, row_of
from benchmarks.swarm.rows import Outcome

SIZE = 2_000_000_000


def row(system: str = "p2pd", *, seconds: float = 2.0, cpu_s: float = 1.0, rss: int = 100 * 2**20, **more: Any) -> Row:
    seen = Outcome({"sink": seconds}, cpu_s_by={"seed": cpu_s, "sink": 3 * cpu_s, "tracker": 99}, **more)
    seen.rss_bytes = {"seed": rss, "sink": rss // 2}
    return row_of(system, 1, SIZE, seen)


def test_a_rate_is_megabytes_of_content_by_seconds() -> None:
    assert row().mb_per_s == 1000.0


def test_cores_are_those_of_both_ends_and_of_nobody_else() -> None:
    assert (row().source_cpu_s_per_gb, row().sink_cpu_s_per_gb, row().cpu_s_per_gb) == (0.5, 1.5, 2.0)


def test_a_row_within_all_claims_misses_none() -> None:
    ours = beside(row(), row("ceiling", seconds=1.5), row("libtorrent", seconds=6.5, cpu_s=2.0))
    assert ours.missed == ()
    assert ours.by_ceiling == pytest.approx(0.75)


@pytest.mark.parametrize(
    "ours, claim",
    [
        (row(seconds=4.0), "mb_per_s 500.00 < 625"),
        (row(seconds=4.0), "by_libtorrent 1.62 < 3"),
        (row(seconds=4.0), "by_ceiling 0.38 < 0.6"),
        (row(cpu_s=2.5), "cpu_by_libtorrent 1.25 > 1"),
        (row(rss=200 * 2**20), "200 MiB resident > 150"),
    ],
)
def test_every_claim_that_is_not_kept_is_named(ours: Row, claim: str) -> None:
    assert claim in beside(ours, row("ceiling", seconds=1.5), row("libtorrent", seconds=6.5, cpu_s=2.0)).missed


def test_a_pair_that_did_not_finish_keeps_no_claim() -> None:
    lost = row_of("p2pd", 1, SIZE, Outcome())
    assert beside(lost, None, None).missed == ("it did not finish",)
    assert "never" in line_of(lost)


def test_the_others_claim_nothing() -> None:
    assert beside(row("nginx", seconds=9.0), row("ceiling"), None).missed == ()
