"""A row as a person reads it."""

from benchmarks.swarm.display import line_of
from benchmarks.swarm.rows import Outcome, row_of
from benchmarks.swarm.scenarios import SCENARIOS
from tests.benchmarks.swarm.test_rows import seen


def test_a_run_that_did_not_end_says_never() -> None:
    row = row_of(SCENARIOS["S7"], "libtorrent", 1, 1_000_000, seen("S7", finished_s={"peer1": 0.1}))
    assert "never" in line_of(row)
    assert "1/8 finished" in line_of(row)


def test_what_ours_does_not_keep_stands_in_its_line() -> None:
    row = row_of(SCENARIOS["S1"], "p2pd", 1, 1_000_000, Outcome({}, seen().links))
    assert "MISSED 0 of 8 finished" in line_of(row)
