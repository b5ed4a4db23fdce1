"""Who is in which swarm: an announce replaces all that its node had said."""

import pytest

from p2pd.policy.importing import IMPORTERS_MAX
from tracker.errors import RefusalError
from tracker.swarms.registry import Registry

from .nodes import OTHER, PIECES, SWARM, node, status


@pytest.fixture
def registry() -> Registry:
    made = Registry(nodes_max=3, memberships_max=4)
    made.register(node("a"))
    return made


def rosters(registry: Registry, region: str = "eu") -> tuple[list[str], list[str], list[str]]:
    swarm = registry.swarm(SWARM)
    assert swarm is not None
    members = swarm.regions[region]
    return list(members.complete), list(members.incomplete), list(members.seeders)


def test_an_announced_swarm_has_its_member(registry: Registry) -> None:
    registry.announce("a", [status(5)])
    assert rosters(registry) == ([], ["a"], [])


def test_a_member_that_completes_changes_sides(registry: Registry) -> None:
    registry.announce("a", [status(5)])
    registry.announce("a", [status(PIECES)])
    assert rosters(registry) == (["a"], [], [])


def test_a_member_that_lost_pieces_changes_back(registry: Registry) -> None:
    registry.announce("a", [status(PIECES)])
    registry.announce("a", [status(PIECES - 1)])
    assert rosters(registry) == ([], ["a"], [])


def test_swarms_left_out_have_been_left(registry: Registry) -> None:
    registry.announce("a", [status(), status(swarm=OTHER)])
    registry.announce("a", [status(swarm=OTHER)])
    assert (registry.swarm(SWARM), registry.memberships) == (None, 1)


def test_a_removed_node_is_in_no_swarm(registry: Registry) -> None:
    registry.announce("a", [status(), status(swarm=OTHER)])
    registry.remove("a")
    assert (list(registry.swarms()), len(registry), registry.memberships) == ([], 0, 0)


def test_a_seeder_is_neither_complete_nor_incomplete(registry: Registry) -> None:
    registry.register(node("s", role="seeder"))
    registry.announce("s", [status(0)])
    assert rosters(registry) == ([], [], ["s"])


def test_the_list_of_seeders_has_a_new_version_whenever_it_changes(registry: Registry) -> None:
    registry.register(node("s", role="seeder"))
    first = registry.seeders_version
    registry.register(node("s", role="seeder"))
    registry.announce("s", [status(0)])
    registry.remove("a")
    unchanged = registry.seeders_version
    registry.remove("s")
    assert (first, unchanged, registry.seeders_version) == (1, 1, 2)


def test_who_can_not_be_dialled_is_counted_but_never_named(registry: Registry) -> None:
    registry.register(node("b", address=""))
    registry.announce("b", [status()])
    swarm = registry.swarm(SWARM)
    assert swarm is not None
    assert (list(swarm.progress), swarm.regions) == (["b"], {})


def test_a_node_that_moved_is_found_in_its_new_region_only(registry: Registry) -> None:
    registry.announce("a", [status()])
    registry.register(node("a", region="us"))
    swarm = registry.swarm(SWARM)
    assert swarm is not None
    assert list(swarm.regions) == ["us"]


def test_a_full_registry_refuses_a_new_node(registry: Registry) -> None:
    registry.register(node("b"))
    registry.register(node("c"))
    with pytest.raises(RefusalError, match="full"):
        registry.register(node("d"))


def test_a_full_registry_takes_a_known_node_back(registry: Registry) -> None:
    registry.register(node("b"))
    registry.register(node("c"))
    registry.register(node("a", region="us"))
    assert len(registry) == 3


def test_a_flood_of_swarms_is_refused_and_changes_nothing(registry: Registry) -> None:
    registry.announce("a", [status(1)])
    flood = [status(swarm=bytes([number]) * 32) for number in range(5)]
    with pytest.raises(RefusalError, match="memberships"):
        registry.announce("a", flood)
    assert [swarm for swarm, _ in registry.swarms()] == [SWARM]


def test_replacing_counts_only_what_is_new(registry: Registry) -> None:
    for _ in range(3):
        registry.announce("a", [status(swarm=bytes([number]) * 32) for number in range(4)])
    assert registry.memberships == 4


def test_an_importer_that_goes_is_replaced() -> None:
    registry = Registry(20, 20)
    for number in range(IMPORTERS_MAX + 2):
        registry.register(node(f"n{number}"))
        registry.announce(f"n{number}", [status(5)])
    registry.remove("n0")
    swarm = registry.swarm(SWARM)
    assert swarm is not None
    importers = set(swarm.regions["eu"].importers)
    assert len(importers) == IMPORTERS_MAX
    assert "n0" not in importers
    assert importers < {f"n{number}" for number in range(IMPORTERS_MAX + 2)}
