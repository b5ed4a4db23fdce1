"""The kernel's rules choose what the daemon's do."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar, cast

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.offering import choose_offers
from p2pd.policy.picking import pick_rarest as daemon_picks
from p2pd.swarm.circle import Circle
from sim.scale import dice, policy
from sim.scale.dice import new_dice

F = TypeVar("F", bound=Callable[..., Any])
PIECES = 200


def callable_here(part: F) -> F:
    """A part of a kernel, which only compiled functions can call, as an entry."""

    def entry(*args: Any) -> Any:
        return part(*args)

    return cast(F, numba.njit(entry))


roll = callable_here(dice.roll)
pick_rarest = callable_here(policy.pick_rarest)
pick_piece = callable_here(policy.pick_piece)
offer_next = callable_here(policy.offer_next)
may_cross = callable_here(policy.may_cross)
WORDS = 4
SETS = st.integers(0, (1 << PIECES) - 1)


def words_of(pieces: int) -> np.ndarray:
    mask = (1 << 64) - 1
    return np.array([[pieces >> (64 * k) & mask for k in range(WORDS)]], dtype=np.uint64)


def counts_of(availability: Sequence[int]) -> np.ndarray:
    return np.array([[*availability, *[0] * (WORDS * 64 - len(availability))]], dtype=np.int32)


class KernelDice(Random):
    """The kernel's dice in the shape that the daemon's rule is handed: it draws as many bits as `width` has, and again
    what is not below it."""

    def __init__(self, rng_seed: int, width: int) -> None:
        super().__init__()
        self._dice, self._width = new_dice(rng_seed), width

    def getrandbits(self, k: int, /) -> int:
        assert k == self._width.bit_length()
        return int(roll(self._dice, self._width))


@given(has=SETS, taken=SETS, rng_seed=st.integers(0, 1 << 40), samples=st.integers(1, 8), data=st.data())
def test_with_the_same_dice_kernel_and_daemon_pick_the_same_piece(
    has: int, taken: int, rng_seed: int, samples: int, data: st.DataObject
) -> None:
    availability = data.draw(st.lists(st.integers(0, 5), min_size=PIECES, max_size=PIECES))
    candidates = has & ~taken
    expected = daemon_picks(candidates, availability, KernelDice(rng_seed, candidates.bit_length()), samples)
    picked = pick_rarest(
        words_of(has), 0, words_of(taken), 0, WORDS - 1, counts_of(availability), 0, samples, new_dice(rng_seed)
    )
    assert (None if picked == policy.NONE else picked) == expected


@given(has=SETS, taken=SETS, start=st.integers(0, WORDS * 64 - 1), sample=st.integers(1, 8), data=st.data())
def test_the_cheaper_form_picks_the_rarest_of_the_candidates_that_it_looks_at(
    has: int, taken: int, start: int, sample: int, data: st.DataObject
) -> None:
    availability = data.draw(st.lists(st.integers(0, 5), min_size=PIECES, max_size=PIECES))
    picked = pick_piece(
        words_of(has), 0, words_of(taken), 0, 0, WORDS - 1, counts_of(availability), 0, start >> 6, start & 63, sample
    )
    circle = [((start >> 6) + turn) % WORDS * 64 + ((start & 63) + k) % 64 for turn in range(WORDS) for k in range(64)]
    seen = [piece for piece in circle if has & ~taken & (1 << piece)][:sample]
    assert picked == (min(seen, key=lambda piece: availability[piece]) if seen else policy.NONE)


@given(named=SETS, held=SETS)
def test_a_source_names_what_the_daemons_shield_would_name(named: int, held: int) -> None:
    full = (1 << PIECES) - 1
    due = choose_offers(1, full, named, held)
    padding = ((1 << (WORDS * 64)) - 1) ^ full
    sent = np.zeros((1, WORDS * 64), dtype=np.int32)
    assert offer_next(sent, 0, words_of(named | held | padding), 0, WORDS, 0) == (due[0] if due else policy.NONE)


@given(wanted=SETS, once=SETS)
def test_a_source_sends_nothing_twice_while_something_wanted_is_unsent(wanted: int, once: int) -> None:
    sent = np.zeros((1, WORDS * 64), dtype=np.int32)
    sent[0, [k for k in range(PIECES) if once >> k & 1]] = 1
    everything = (1 << (WORDS * 64)) - 1
    named = offer_next(sent, 0, words_of(everything ^ wanted), 0, WORDS, 0)
    if wanted & ~once:
        assert sent[0, named] == 0
    else:
        assert (named == policy.NONE) == (wanted == 0)


@pytest.mark.parametrize(
    "lacks, feed, spare, starved, may",
    [(True, 1.0, 0.0, False, True), (True, 0.9, 9.0, True, False), (False, 9.0, 1.0, True, True),
     (False, 9.0, 0.9, True, False), (False, 9.0, 9.0, False, False)],
)  # fmt: skip
def test_a_piece_crosses_regions_only_where_it_is_lacking_or_for_the_starved(
    lacks: bool, feed: float, spare: float, starved: bool, may: bool
) -> None:
    assert may_cross(lacks, feed, spare, starved) is may


@given(size=st.integers(2, 9), importers=st.integers(0, 8), held=SETS)
def test_what_may_cross_is_what_falls_to_one_of_the_daemons_of_a_region_or_to_all_who_waited_in_vain(
    size: int, importers: int, held: int
) -> None:
    names = [f"node-{number}" for number in range(size)]
    region = [circle_of(own, names, names[:importers], held) for own in names]
    asking = [sum(one.importable(0.0) >> piece & 1 for one in region) for piece in range(PIECES)]
    assert asking == [may_cross(not held >> piece & 1, 1.0, 1.0, False) for piece in range(PIECES)]
    assert all(ends_open(one, looks=2 * size + importers + 2) == may_cross(False, 1.0, 1.0, True) for one in region)


def ends_open(circle: Circle, looks: int) -> bool:
    """Waiting in vain, 10 s and again: is everything allowed at last?"""
    allowed = []
    for now in range(10, 10 * (looks + 1), 10):
        circle.waits(now)
        allowed.append(circle.importable(now))
    return (1 << PIECES) - 1 in allowed


def circle_of(own: str, names: Sequence[str], importers: Sequence[str], held: int) -> Circle:
    """A daemon's view of its region, in which these pieces are held and these were named importers."""
    circle = Circle(own, PIECES, 0.0)
    circle.name_importers(importers, 1.2, 0.0)
    for other in names:
        if other != own:
            circle.enter(other)
    circle.holds(held, 0.0)
    return circle
