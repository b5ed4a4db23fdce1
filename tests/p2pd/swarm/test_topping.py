"""HTTP brings what peers would bring too late, and no more."""

from collections.abc import Iterator
from math import inf

from p2pd.policy.deadline import BEHIND_S
from p2pd.policy.hedging import COPIES_MAX
from p2pd.policy.sources import ORIGIN_FETCHES_MAX, Tier
from p2pd.swarm import ORIGIN
from p2pd.swarm.topping import TopUp
from p2pd.wire import bits

from .driver import PIECE_BYTES, Driver

PIECES = 400
STEP_S = 0.1


class Download:
    """A neighbour that brings so many pieces a second, and HTTP that brings what it is asked for within a step."""

    def __init__(self, *, finish_by: float = inf, floor_per_s: float = 0.0) -> None:
        self.driver = Driver(PIECES)
        self.driver.brain.use_origin(True, 0.0)
        self.driver.peer("peer")
        self.driver.brain.aim(finish_by=finish_by, floor_per_s=floor_per_s, now=0.0)
        self._owed = 0.0

    def run(self, seconds: float, peer_pieces_per_s: float) -> None:
        until = self.driver.now + seconds
        while self.driver.now < until and not self.driver.brain.complete:
            self._owed += peer_pieces_per_s * STEP_S
            due = self._due("peer")
            while self._owed >= 1 and (piece := next(due, None)) is not None:
                self.driver.bring("peer", piece)
                self._owed -= 1
            for piece in [one for one in self.driver.fetched() if not self.driver.brain.present >> one & 1]:
                self.driver.bring("origin", piece)
            self.driver.wait(STEP_S)

    def _due(self, key: str) -> Iterator[int]:
        return (piece for piece in self.driver.asked(key) if not self.driver.brain.present >> piece & 1)

    @property
    def by_http(self) -> dict[str, int]:
        return {
            why: count // PIECE_BYTES for why, count in self.driver.brain.snapshot(self.driver.now).http_bytes.items()
        }


def test_peers_that_are_fast_enough_leave_http_alone() -> None:
    download = Download(finish_by=60.0)
    download.run(60.0, 10)
    assert download.driver.brain.complete
    assert download.by_http == {}


def test_http_brings_what_peers_would_bring_too_late_and_little_more() -> None:
    download = Download(finish_by=60.0)
    download.run(60.0, 5)
    assert download.driver.brain.complete
    assert set(download.by_http) == {"deadline"}
    lacking = PIECES - 5 * 60
    assert lacking <= download.by_http["deadline"] <= lacking + 0.15 * PIECES


def test_it_is_done_in_time_though_peers_bring_hardly_anything() -> None:
    download = Download(finish_by=60.0)
    download.run(60.0, 0.5)
    assert download.driver.brain.complete


def test_a_slow_second_buys_nothing() -> None:
    download = Download(finish_by=60.0)
    download.run(20.0, 10)
    download.run(2.0, 1)
    download.run(60.0, 10)
    assert download.by_http == {}


def test_below_the_floor_http_helps_up_to_the_floor() -> None:
    download = Download(floor_per_s=10 * PIECE_BYTES)
    download.run(BEHIND_S, 4)
    assert download.by_http == {}
    download.run(20.0, 4)
    assert set(download.by_http) == {"floor"}
    assert 100 <= download.by_http["floor"] <= 140


def test_help_ends_when_peers_have_been_fast_enough_for_a_while() -> None:
    download = Download(floor_per_s=4 * PIECE_BYTES)
    download.run(15.0, 1)
    before = download.by_http["floor"]
    download.run(BEHIND_S + 5.0, 12)
    assert download.driver.brain.snapshot(download.driver.now).topped_up_for == ""
    assert download.by_http["floor"] <= before + 12


def test_once_the_time_is_over_http_brings_whatever_it_can() -> None:
    download = Download(finish_by=1.0)
    download.run(1.5, 1)
    asked = download.driver.brain.snapshot(download.driver.now)
    download.run(10.0, 1)
    assert asked.topped_up_for == "deadline"
    assert download.driver.brain.complete


def test_what_http_did_not_bring_for_a_while_is_no_burst_later() -> None:
    top_up = TopUp(0.0)
    top_up.aim(finish_by=inf, floor_per_s=100.0, now=0.0)
    for tick in range(400):
        top_up.look(1_000_000, tick * 0.25)
    bought = 0
    while top_up.may_ask:
        top_up.asked(10)
        bought += 10
    assert bought <= 150


def test_a_pause_was_nobodys_slowness() -> None:
    download = Download(floor_per_s=10 * PIECE_BYTES)
    download.run(1.0, 20)
    download.driver.brain.pause()
    download.driver.wait(60.0)
    download.driver.brain.resume(download.driver.now)
    download.run(BEHIND_S / 2, 20)
    assert download.by_http == {}


def test_what_falls_to_others_is_left_to_them_as_long_as_there_is_something_else() -> None:
    swarm = Driver(PIECES)
    swarm.brain.use_origin(True, 0.0)
    swarm.peer("fellow", 0)
    swarm.peer("shield", 0, Tier.SHIELD)
    share = set(bits.iterate(swarm.brain._circles.region.importable(0.0)))
    swarm.brain.aim(finish_by=0.0, floor_per_s=0.0, now=0.0)
    swarm.wait(1.0)
    assert len(swarm.fetched()) == ORIGIN_FETCHES_MAX
    assert set(swarm.fetched()) <= share


def test_http_is_not_asked_as_a_third_for_what_two_were_asked_for_just_now() -> None:
    swarm = Driver(12, bits.of((2, 4)), rng_seed=0)
    swarm.brain.use_origin(True, 0.0)
    for held in (bits.of((0,)), bits.full(12)):  # as it was found
        swarm.peer("a", held, Tier.LAN)
        swarm.wait(4.0 if held > 1 else 0.0)
        swarm.brain.remove_peer("a", swarm.now)
        swarm.settle()
    swarm.brain.arrived(ORIGIN, PIECE_BYTES, swarm.now)
    swarm.brain.delivered(ORIGIN, 3, swarm.now)
    swarm.peer("b", bits.of((0, 1)), Tier.REMOTE)
    swarm.peer("a", bits.of((0,)), Tier.SHIELD)
    swarm.wait(0.01)
    fetching = swarm.brain._fetching
    assert len(fetching.requests.owners[0]) == COPIES_MAX
    assert 1 in fetching.origin.requested  # which only one was asked for
