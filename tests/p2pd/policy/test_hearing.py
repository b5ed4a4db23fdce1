"""What a peer may say, and how many may come to the doorstep: told the time."""

import pytest

from p2pd.policy.hearing import (
    REST_WORK,
    WORK_PER_PIECE,
    WORK_PER_S,
    WORK_SAVED_MAX,
    Hearing,
    work_of,
)
from p2pd.policy.receiving import ACCEPTS_PER_S, ACCEPTS_SAVED_MAX, REFUSAL_WORK, REST_ACCEPTS, Doorstep
from p2pd.wire.connection import About, BlockReceived, Event, Joined
from p2pd.wire.messages import Have, ManifestRequest, Ping, Request

SWARM = bytes(32)


def heard(hearing: Hearing, event: Event, seconds: float, between_s: float = 0.0) -> int:
    """How many of these are heard within so many seconds, whoever says them resting as told."""
    now, count = 0.0, 0
    while now < seconds:
        now += hearing.spend(event, now) + between_s
        count += 1
    return count


def test_a_flood_is_heard_at_its_pace_after_what_was_saved() -> None:
    assert heard(Hearing(0.0), Ping(1), 20.0) == pytest.approx(WORK_SAVED_MAX + 20 * WORK_PER_S, abs=2 * REST_WORK)


def test_who_says_less_is_never_held_up() -> None:
    hearing, now = Hearing(0.0), 0.0
    for _ in range(10_000):
        now += 1.1 / WORK_PER_S
        assert hearing.spend(Ping(1), now) == 0.0


def test_who_exchanges_pieces_is_never_held_up_however_fast() -> None:
    hearing = Hearing(0.0)
    for number in range(50_000):
        assert hearing.spend(About(SWARM, Request(1, number)), 0.0) == 0.0
        assert hearing.spend(About(SWARM, Have(1, tuple(range(16)))), 0.0) == 0.0
        hearing.earn()
        assert hearing.spend(BlockReceived(SWARM, number, 0, b"x"), 0.0) == 0.0


def test_what_was_earned_is_not_saved_without_end() -> None:
    hearing = Hearing(0.0)
    for _ in range(100_000):
        hearing.earn()
    assert heard(hearing, Ping(1), 1.0) <= WORK_SAVED_MAX + WORK_PER_S + WORK_PER_PIECE + REST_WORK


def test_what_costs_more_counts_more() -> None:
    have = About(SWARM, Have(1, tuple(range(4096))))
    dear: tuple[Event, ...] = (have, Joined(SWARM, 4_000_000, 0), ManifestRequest(SWARM, 0))
    assert min(work_of(event) for event in dear) >= 16 * work_of(Ping(1))


def test_a_crowd_is_let_in_at_once_and_a_flood_at_a_pace() -> None:
    doorstep, now, let_in = Doorstep(0.0), 0.0, 0
    while doorstep.spend(now) == 0.0:
        let_in += 1
    assert let_in == ACCEPTS_SAVED_MAX
    doorstep, let_in = Doorstep(0.0), 0
    while now < 60.0:
        now += doorstep.spend(now)
        let_in += 1
    assert let_in == pytest.approx(ACCEPTS_SAVED_MAX + 60 * ACCEPTS_PER_S, abs=2 * REST_ACCEPTS)


def test_who_is_turned_away_at_once_costs_less() -> None:
    doorstep, now, turned_away = Doorstep(0.0), 0.0, 0
    while now < 60.0:
        now += doorstep.spend(now, REFUSAL_WORK)
        turned_away += 1
    assert turned_away == pytest.approx((ACCEPTS_SAVED_MAX + 60 * ACCEPTS_PER_S) / REFUSAL_WORK, rel=0.02)
