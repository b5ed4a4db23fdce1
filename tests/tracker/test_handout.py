"""Whom the tracker names to whom."""

from collections import Counter
from random import Random

import pytest

from p2pd.policy.importing import IMPORTERS_MAX
from p2pd.wire.announce import PEERS_MAX
from tracker.swarms.handout import Asker, choose, importers, importing
from tracker.swarms.registry import Registry, Swarm

from .nodes import PIECES, SWARM, node, status

SEEDS = range(20)


def swarm(**groups: int) -> Swarm:
    """`eu_complete=3, us_incomplete=2, eu_seeder=1`: members named `eu_complete0`, ..."""
    registry = Registry(10_000, 10_000)
    for group, count in groups.items():
        region, kind = group.split("_")
        for number in range(count):
            name = f"{group}{number}"
            registry.register(node(name, region, "seeder" if kind == "seeder" else "daemon"))
            registry.announce(name, [status(PIECES if kind == "complete" else 1)])
    found = registry.swarm(SWARM)
    assert found is not None
    return found


def kinds(names: list[str]) -> Counter[str]:
    return Counter(name.rstrip("0123456789") for name in names)


LEECHER = Asker("eu_incomplete0", "eu", complete=False)
SEED = Asker("eu_complete0", "eu", complete=True)


@pytest.mark.parametrize("rng_seed", SEEDS)
def test_the_asker_is_never_named(rng_seed: int) -> None:
    names = choose(swarm(eu_incomplete=5, us_incomplete=2), LEECHER, PEERS_MAX, Random(rng_seed))
    assert sorted(names) == ["eu_incomplete1", "eu_incomplete2", "eu_incomplete3", "eu_incomplete4",
                             "us_incomplete0", "us_incomplete1"]  # fmt: skip


@pytest.mark.parametrize("rng_seed", SEEDS)
def test_nobody_is_named_twice_and_no_more_than_wanted(rng_seed: int) -> None:
    crowd = swarm(eu_incomplete=30, eu_complete=30, us_incomplete=30, asia_complete=9, eu_seeder=3, us_seeder=3)
    for wanted in (1, 2, 3, 10, 50, PEERS_MAX):
        names = choose(crowd, LEECHER, wanted, Random(rng_seed))
        assert len(names) == len(set(names)) == wanted


@pytest.mark.parametrize("wanted", [1, 2, 5, 20])
def test_a_shield_is_named_to_whoever_misses_pieces(wanted: int) -> None:
    names = choose(swarm(eu_incomplete=500, eu_seeder=1), LEECHER, wanted, Random(1))
    assert "eu_seeder0" in names


def test_the_nearest_shield_comes_first() -> None:
    names = choose(swarm(us_seeder=5, eu_seeder=1, eu_incomplete=50), LEECHER, 20, Random(1))
    assert names[0] == "eu_seeder0"


def test_shields_take_at_most_their_share() -> None:
    names = choose(swarm(eu_seeder=50, eu_incomplete=50), LEECHER, 20, Random(1))
    assert kinds(names)["eu_seeder"] == 5


def test_who_has_all_is_told_only_of_those_who_miss_some() -> None:
    names = choose(swarm(eu_complete=50, eu_incomplete=3, us_incomplete=2, eu_seeder=2), SEED, 20, Random(1))
    assert kinds(names) == {"eu_incomplete": 3, "us_incomplete": 2}


def test_most_are_near_and_a_reserved_share_is_from_outside() -> None:
    names = choose(swarm(eu_incomplete=500, us_incomplete=500), LEECHER, 20, Random(1))
    assert kinds(names) == {"eu_incomplete": 16, "us_incomplete": 4}


def test_the_outside_share_falls_on_all_regions() -> None:
    names = choose(swarm(eu_incomplete=50, us_incomplete=50, asia_incomplete=50), LEECHER, 20, Random(1))
    assert kinds(names) == {"eu_incomplete": 16, "us_incomplete": 2, "asia_incomplete": 2}


def test_a_region_with_nobody_else_is_served_from_outside() -> None:
    names = choose(swarm(eu_incomplete=1, us_complete=50), LEECHER, 10, Random(1))
    assert kinds(names) == {"us_complete": 10}


def test_where_there_is_nobody_outside_all_are_near() -> None:
    names = choose(swarm(eu_incomplete=50), LEECHER, 10, Random(1))
    assert kinds(names) == {"eu_incomplete": 10}


def test_complete_and_incomplete_peers_are_mixed() -> None:
    names = choose(swarm(eu_incomplete=500, eu_complete=500), LEECHER, 20, Random(1))
    assert kinds(names) == {"eu_incomplete": 10, "eu_complete": 10}


def test_a_lack_of_complete_peers_is_filled_with_incomplete_ones() -> None:
    names = choose(swarm(eu_incomplete=500, eu_complete=2), LEECHER, 20, Random(1))
    assert kinds(names) == {"eu_incomplete": 18, "eu_complete": 2}


def test_everybody_is_named_about_equally_often() -> None:
    crowd, counts, rng = swarm(eu_incomplete=100), Counter[str](), Random(1)
    for _ in range(1000):
        counts.update(choose(crowd, Asker("x", "eu", complete=False), 10, rng))
    assert min(counts.values()) > 60
    assert max(counts.values()) < 150


def test_nothing_wanted_is_nothing_named() -> None:
    assert choose(swarm(eu_incomplete=5, eu_seeder=2), LEECHER, 0, Random(1)) == []


def test_in_a_small_region_nobody_is_named_an_importer_for_all_know_each_other() -> None:
    assert importers(swarm(eu_incomplete=IMPORTERS_MAX), "eu") == ()


def test_in_a_larger_one_the_first_to_come_bring_in_what_it_lacks() -> None:
    named = importers(swarm(eu_incomplete=20, us_incomplete=20), "eu")
    assert named == tuple(f"eu_incomplete{number}" for number in range(IMPORTERS_MAX))


def test_an_importer_is_told_of_all_others() -> None:
    named = choose(swarm(eu_incomplete=40), Asker("eu_incomplete3", "eu", complete=False), 16, Random(1))
    others = {f"eu_incomplete{number}" for number in range(IMPORTERS_MAX)} - {"eu_incomplete3"}
    assert others <= set(named)
    assert len(named) == 16


def test_who_is_no_importer_is_told_of_whoever_the_dice_say() -> None:
    named = choose(swarm(eu_incomplete=400), Asker("eu_incomplete30", "eu", complete=False), 16, Random(1))
    assert len(set(named) & {f"eu_incomplete{number}" for number in range(IMPORTERS_MAX)}) < IMPORTERS_MAX


# -- zones and racks ------------------------------------------------------------------------------------------------

HOME = "eu/hall/rack"


def placed(**groups: int) -> Swarm:
    """`rack=3, hall=2, eu=1, us=1`: so many who miss pieces in the asker's rack (itself among them), elsewhere in its
    zone, elsewhere in its region, and outside."""
    places = {"rack": HOME, "hall": "eu/hall/other", "eu": "eu/yard/rack", "us": "us/hall/rack"}
    registry = Registry(10_000, 10_000)
    for group, count in groups.items():
        for number in range(count):
            registry.register(node(f"{group}{number}", places[group]))
            registry.announce(f"{group}{number}", [status(1)])
    found = registry.swarm(SWARM)
    assert found is not None
    return found


RACKED = Asker("rack0", HOME, complete=False)


def test_most_are_of_ones_rack_and_a_reserved_share_is_of_each_level_further_out() -> None:
    names = choose(placed(rack=50, hall=50, eu=50, us=50), RACKED, 20, Random(1))
    assert kinds(names) == {"rack": 8, "hall": 4, "eu": 4, "us": 4}


def test_what_a_small_rack_lacks_its_zone_makes_up_for() -> None:
    names = choose(placed(rack=4, hall=50, eu=50, us=50), RACKED, 20, Random(1))
    assert kinds(names) == {"rack": 3, "hall": 9, "eu": 4, "us": 4}


@pytest.mark.parametrize("rng_seed", SEEDS)
def test_nobody_is_named_twice_by_levels_and_as_many_as_are_wanted(rng_seed: int) -> None:
    crowd = placed(rack=30, hall=9, eu=300, us=3)
    for wanted in (1, 2, 3, 4, 10, PEERS_MAX):
        names = choose(crowd, RACKED, wanted, Random(rng_seed))
        assert len(names) == len(set(names)) == wanted


@pytest.mark.parametrize("rng_seed", SEEDS)
def test_even_the_fewest_refreshed_come_from_every_level(rng_seed: int) -> None:
    names = choose(placed(rack=50, hall=50, eu=50, us=50), RACKED, 4, Random(rng_seed))
    assert kinds(names) == {"rack": 1, "hall": 1, "eu": 1, "us": 1}


def test_all_of_a_small_zone_are_named_to_each_other_so_that_they_can_divide() -> None:
    names = choose(placed(rack=4, hall=4, eu=200, us=200), RACKED, 32, Random(1))
    assert (kinds(names)["rack"], kinds(names)["hall"]) == (3, 4)


def test_a_host_of_a_large_zone_is_found_though_most_of_it_is_ones_own_rack() -> None:
    names = choose(placed(rack=900, hall=100), RACKED, 20, Random(1))
    assert kinds(names) == {"rack": 16, "hall": 4}


def test_a_host_without_a_rack_is_in_its_region_all_the_same() -> None:
    names = choose(placed(rack=20, eu=1), Asker("eu9", "eu", complete=False), 21, Random(1))
    assert kinds(names) == {"rack": 20, "eu": 1}


def test_importers_are_named_for_each_level_for_which_the_operator_asks() -> None:
    crowd = placed(rack=20, hall=20, eu=20, us=1)
    region, zone = importing(crowd, HOME, (1.2, 2.0, 0.0))
    assert (region.level, region.copies, len(region.importers)) == ("region", 1.2, IMPORTERS_MAX)
    assert (zone.level, zone.copies, set(kinds([*zone.importers]))) == ("zone", 2.0, {"rack"})
    assert [one.level for one in importing(crowd, "eu", (0.0, 2.0, 2.0))] == ["region"]


def test_an_importer_is_told_of_the_others_of_each_of_its_places() -> None:
    crowd = placed(rack=20, hall=20, eu=20)
    names = choose(crowd, RACKED, 32, Random(1))
    allies = {name for place in (HOME, "eu/hall", "eu") for name in importers(crowd, place)} - {"rack0"}
    assert allies <= set(names)
