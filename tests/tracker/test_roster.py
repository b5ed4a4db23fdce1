"""Names that can be drawn from, whatever was added and removed before."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tracker.swarms.roster import Roster

NAMES = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(st.booleans(), NAMES)))
def test_a_roster_holds_what_a_set_would(steps: list[tuple[bool, str]]) -> None:
    roster, model = Roster(), set[str]()
    for add, name in steps:
        (roster.add if add else roster.discard)(name)
        (model.add if add else model.discard)(name)
    assert (set(roster), len(roster)) == (model, len(model))


def filled(count: int) -> Roster:
    roster = Roster()
    for number in range(count):
        roster.add(f"n{number}")
    return roster


def test_a_draw_has_no_name_twice() -> None:
    drawn = filled(20).draw(15, Random(1))
    assert len(set(drawn)) == 15


def test_a_draw_leaves_out_whom_it_should_and_is_full_all_the_same() -> None:
    for rng_seed in range(50):
        drawn = filled(5).draw(4, Random(rng_seed), without=("n2",), spare=1)
        assert len(drawn) == 4
        assert "n2" not in drawn


def test_a_draw_of_more_than_there_is_gives_all() -> None:
    assert set(filled(3).draw(10, Random(1))) == {"n0", "n1", "n2"}


def test_the_same_seed_draws_the_same_names() -> None:
    assert filled(100).draw(10, Random(7)) == filled(100).draw(10, Random(7))
