"""Sites behind links that they share: each piece comes in once, whoever dies.

The daemon's own brains on simulated links; S4 of `benchmarks.swarm` shows the same on real ones.
"""

from collections.abc import Mapping

import pytest

from sim.quick import Link, Outcome, simulate

MBIT = 1e6 / 8
PIECE_BYTES = 256 * 1024
PIECES = 128
SIZE = PIECES * PIECE_BYTES
SHIELD = Link(50 * MBIT, 50 * MBIT, 0.0002)
BOTH = {"lan1": Link(20 * MBIT, 20 * MBIT, 0.0002), "lan2": Link(20 * MBIT, 20 * MBIT, 0.0002)}
TWELVE = [Link(50 * MBIT, 50 * MBIT, 0.0002, site=f"lan{1 + number // 6}") for number in range(12)]
LANS_BOUND_S = SIZE / (20 * MBIT)
REGIONS = {f"region-{number}": Link(100 * MBIT, 100 * MBIT, 0.02) for number in range(3)}
REGIONS_BOUND_S = SIZE / (100 * MBIT)


def lans(deaths: Mapping[int, float] = {}, pieces: int = 4 * PIECES, rng_seed: int = 1) -> Outcome:
    lengths = [SIZE // pieces] * pieces
    return simulate(lengths, TWELVE, shield=SHIELD, rng_seed=rng_seed, until_s=600.0, sites=BOTH, deaths=deaths)


def lans_of_one_region(deaths: Mapping[int, float] = {}) -> Outcome:
    """They hear each other, and the tracker does not know who shares a link."""
    lengths = [SIZE // (4 * PIECES)] * (4 * PIECES)
    return simulate(lengths, TWELVE, shield=SHIELD, rng_seed=1, until_s=600.0, sites=BOTH, lans=True, deaths=deaths)


def regions(hosts: int, deaths: Mapping[int, float] = {}, pieces: int = PIECES) -> Outcome:
    links = [Link(100 * MBIT, 100 * MBIT, 0.0005, site=f"region-{number % 3}") for number in range(hosts)]
    shield = Link(100 * MBIT, 100 * MBIT, 0.0005)
    lengths = [PIECE_BYTES] * pieces
    return simulate(lengths, links, shield=shield, rng_seed=1, until_s=600.0, sites=REGIONS, deaths=deaths)


def copies(outcome: Outcome, size: int = SIZE) -> float:
    """Into the site that took most."""
    return max(outcome.entered_bytes.values()) / size


def slowest_s(outcome: Outcome, without: Mapping[int, float] = {}) -> float:
    return max(seconds for number, seconds in enumerate(outcome.finished_s) if number not in without)


@pytest.mark.parametrize("rng_seed", [1, 2, 3])
def test_two_lans_behind_narrow_links_take_each_piece_once_over_them(rng_seed: int) -> None:
    outcome = lans(rng_seed=rng_seed)
    assert copies(outcome) <= 1.05
    assert slowest_s(outcome) <= 1.15 * LANS_BOUND_S


def test_when_an_importer_dies_the_others_of_its_lan_take_over() -> None:
    deaths = {0: 0.4 * LANS_BOUND_S}
    outcome = lans(deaths)
    assert copies(outcome) <= 1.1
    assert slowest_s(outcome, deaths) <= 1.2 * LANS_BOUND_S


def test_lans_within_a_region_do_the_same_by_hearing_each_other() -> None:
    deaths = {0: 0.4 * LANS_BOUND_S}
    for outcome, without in ((lans_of_one_region(), {}), (lans_of_one_region(deaths), deaths)):
        assert copies(outcome) <= 1.1
        assert slowest_s(outcome, without) <= 1.2 * LANS_BOUND_S


def test_three_regions_of_ten_take_one_copy_each_though_an_importer_dies() -> None:
    deaths = {0: 0.5 * REGIONS_BOUND_S}
    assert copies(regions(30)) <= 1.05
    assert copies(regions(30, deaths)) <= 1.2


def test_in_regions_too_large_for_all_to_know_each_other_the_importers_that_the_tracker_names_do_it() -> None:
    assert copies(regions(120, pieces=PIECES // 2), SIZE // 2) <= 1.05
