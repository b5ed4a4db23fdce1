"""Three tiers tell one story."""

import numpy as np
import pytest

import sim
from sim.validation.tiers import CASES, EXACT, TOLERANCE, run_case, twins


@pytest.mark.parametrize("case", EXACT)
def test_brains_alone_finish_to_the_microsecond_when_daemons_do_with_the_same_bytes_from_the_same_sources(
    case: str,
) -> None:
    daemons, brains = twins(case)
    assert np.allclose(daemons.arrays["finish_s"], brains.arrays["finish_s"], rtol=0, atol=1e-6)
    assert np.array_equal(daemons.arrays["bytes_by_source"][-1], brains.arrays["bytes_by_source"][-1])


def test_another_seed_is_another_story() -> None:
    first, second = (twins("some hosts half as fast", seed)[1].arrays["finish_s"] for seed in (1, 2))
    assert not np.allclose(first, second, rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", ["12 equal hosts", "hosts that come over 40 s"])
def test_brains_and_arrays_agree_within_the_tolerance(case: str) -> None:
    brains, arrays = (run_case(case, engine).last_s for engine in ("quick", "scale"))
    assert brains == pytest.approx(arrays, rel=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_every_shared_scenario_can_be_read_by_every_engine(case: str) -> None:
    for engine in ("fleet", "quick", "scale"):
        assert sim.parse({"name": case, "engine": engine, **CASES[case]}).engine == engine
