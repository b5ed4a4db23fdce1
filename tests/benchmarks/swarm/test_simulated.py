"""What the simulator says of a scenario of the benchmark."""

import pytest

from benchmarks.links import BenchmarkError
from benchmarks.swarm.__main__ import main
from benchmarks.swarm.rows import row_of
from benchmarks.swarm.scenarios import SCENARIOS
from benchmarks.swarm.simulated import HEADERS, simulated

SIZE = 8 * 2**20


def test_a_simulated_swarm_has_a_row_like_a_real_one() -> None:
    scenario = SCENARIOS["S1"]
    row = row_of(scenario, "simulated", 1, SIZE, simulated(scenario, SIZE, 1))
    assert row.finished == 8
    assert row.ratio is not None
    assert HEADERS <= row.ratio <= 1.5
    assert 0.99 <= row.origin_copies <= 1.1


def test_what_enters_a_site_is_counted() -> None:
    scenario = SCENARIOS["S4"]
    row = row_of(scenario, "simulated", 1, SIZE, simulated(scenario, SIZE, 1))
    assert row.site_copies is not None
    assert 0.99 <= row.site_copies <= 1.1


@pytest.mark.parametrize("name", ["S6", "S7", "S8"])
def test_what_the_model_has_not_is_refused(name: str) -> None:
    with pytest.raises(BenchmarkError, match=name):
        simulated(SCENARIOS[name], SIZE, 1)


def test_what_cant_be_simulated_is_said_before_anything_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["S1", "S6", "--systems", "p2pd,simulated"])
    assert "S6 can't be simulated" in capsys.readouterr().err
