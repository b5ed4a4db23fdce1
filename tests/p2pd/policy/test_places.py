"""Where a node is, and how near two of them are."""

import pytest

from p2pd.policy.places import around, check_place, levels_shared, region_of


@pytest.mark.parametrize("place", ["eu", "eu/zone-1", "eu/zone-1/rack-7"])
def test_a_place_names_a_region_and_perhaps_a_zone_and_a_rack(place: str) -> None:
    check_place(place)
    assert region_of(place) == "eu"


@pytest.mark.parametrize("place", ["", "/", "eu/", "/eu", "eu//rack", "eu/zone/rack/shelf"])
def test_nothing_else_is_a_place(place: str) -> None:
    with pytest.raises(ValueError, match="expected a region"):
        check_place(place)


def test_a_place_is_within_others() -> None:
    assert around("eu/zone-1/rack-7") == ("eu", "eu/zone-1", "eu/zone-1/rack-7")


@pytest.mark.parametrize(
    "other, shared",
    [("eu/a/1", 3), ("eu/a/2", 2), ("eu/b/1", 1), ("us/a/1", 0), ("eu", 1), ("eu/a", 2), ("eu/a/1/x", 3), ("e", 0)],
)
def test_two_nodes_share_as_many_levels_as_their_places_begin_alike(other: str, shared: int) -> None:
    assert levels_shared("eu/a/1", other) == levels_shared(other, "eu/a/1") == shared
