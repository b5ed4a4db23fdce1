"""The node's side of the tracker, against trackers that the test plays."""

from itertools import pairwise
from random import Random

import pytest
import trio
import trio.lowlevel
import trio.testing

from p2pd.announcer import Announcer, Heard
from p2pd.tracker_link import ANSWER_TIMEOUT_S, HOMECOMING_S
from p2pd.tracker_stream import ConnectionEndedError, TrackerStream
from p2pd.wire.announce import (
    Announce,
    AnyTrackerMessage,
    Goal,
    Goals,
    Handout,
    Refused,
    Register,
    Renewed,
    Report,
    Seeders,
    SeedersRequest,
    ServiceReport,
    SwarmStatus,
    TrackerMessage,
    Watch,
)
from p2pd.wire.errors import RemoteProtocolError
from p2pd.world.network import Listener
from tests.fakes.network import MemoryNetwork

REGISTER = Register(1, "f", "a", "eu", "daemon", "a:1")
SWARM = b"s" * 32
STATUS = SwarmStatus(SWARM, 1, 10, 5)


def report(state: str, service: str = "web") -> ServiceReport:
    return ServiceReport("a", "eu", service, "web@1", 1, "", state)


class PlayedTracker:
    """Answers every announce, and notes what it was told and when. `silent`: says nothing."""

    def __init__(self, network: MemoryNetwork, name: str) -> None:
        self.host = network.host(name)
        self.network = network
        self.name = name
        self.told: list[tuple[float, AnyTrackerMessage]] = []
        self.silent = False
        self.interval_s = 20.0
        self.revision = self.seeders = 0
        self.stream: TrackerStream | None = None
        self._listener: Listener | None = None

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listener = await self.host.listen(f"{self.name}:1")
        task_status.started()
        try:
            while True:
                self.stream = TrackerStream(await listener.accept())
                try:
                    while True:
                        await self._answer(await self.stream.receive())
                except ConnectionEndedError:
                    pass
        finally:
            with trio.CancelScope(shield=True):
                await listener.aclose()

    async def _answer(self, message: AnyTrackerMessage) -> None:
        self.told.append((trio.current_time(), message))
        if not self.silent and isinstance(message, Announce):
            await self.say(Renewed(self.interval_s, self.revision, self.seeders))

    async def say(self, message: TrackerMessage) -> None:
        assert self.stream is not None
        await self.stream.send(message)

    def all(self, kind: type[TrackerMessage]) -> list[AnyTrackerMessage]:
        return [message for _, message in self.told if isinstance(message, kind)]

    def times(self, kind: type[TrackerMessage]) -> list[float]:
        return [at for at, message in self.told if isinstance(message, kind)]


class House:
    """An announcer `a` that knows the trackers `t1` and `t2`."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.network = MemoryNetwork()
        self.t1, self.t2 = PlayedTracker(self.network, "t1"), PlayedTracker(self.network, "t2")
        self.heard: list[Heard] = []
        self.nursery = nursery
        self.announcer = Announcer(self.network.host("a"), ("t1:1", "t2:1"), REGISTER, Random(1), self.heard.append)

    async def start(self, *trackers: PlayedTracker) -> None:
        for tracker in trackers:
            await self.nursery.start(tracker.serve)
        self.nursery.start_soon(self.announcer.run)


@pytest.fixture
async def house(nursery: trio.Nursery) -> House:
    return House(nursery)


async def test_it_registers_first_and_then_announces(house: House, autojump_clock: trio.testing.MockClock) -> None:
    house.announcer.update([STATUS])
    await house.start(house.t1)
    await trio.sleep(1)
    assert [message for _, message in house.t1.told] == [REGISTER, SeedersRequest(), Announce((STATUS,))]


async def test_what_the_tracker_says_is_passed_on(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Handout(SWARM, ()))
    await trio.sleep(1)
    assert house.heard == [Handout(SWARM, ())]


async def test_it_announces_again_in_the_interval_that_it_was_told(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1)
    await trio.sleep(1000)
    times = house.t1.times(Announce)
    assert all(16 <= after - before <= 20 for before, after in pairwise(times))


async def test_a_change_is_announced_at_once(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start(house.t1)
    await trio.sleep(5)
    house.announcer.update([STATUS])
    await trio.sleep(0.1)
    assert house.t1.all(Announce)[-1] == Announce((STATUS,))


async def test_a_hundred_changes_a_second_are_one_announce_a_second(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1)
    for number in range(1000):
        house.announcer.update([SwarmStatus(number.to_bytes(32, "big"), 0, 10)])
        await trio.sleep(0.01)
    assert len(house.t1.all(Announce)) <= 12


async def test_reports_are_gathered_and_only_the_newest_is_sent(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1)
    await trio.sleep(5)
    for number in range(40):
        house.announcer.report(report(f"STATE{number}"))
        await trio.sleep(0.1)
    await trio.sleep(1)
    told = house.t1.all(Report)
    assert (told[-1], len(told) < 12) == (Report((report("STATE39"),)), True)


async def test_after_a_reconnection_everything_is_told_again(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.announcer.update([STATUS])
    house.announcer.report(report("VERIFIED"))
    house.announcer.watch(["web"])
    await house.start(house.t1)
    await trio.sleep(30)
    house.t1.told.clear()
    house.network.drop("t1")
    await trio.sleep(5)
    kinds = [type(message) for _, message in house.t1.told]
    assert kinds == [Register, Watch, SeedersRequest, Announce, Report]


async def test_goals_are_asked_for_anew_from_the_beginning_after_a_reconnection(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.announcer.watch(["web"])
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Goals(7, (Goal("web", "global", "web@1", 7),)))
    await trio.sleep(1)
    await house.t1.say(Seeders((), 0))
    await trio.sleep(30)
    house.network.drop("t1")
    await trio.sleep(5)
    assert [watch.revision for watch in house.t1.all(Watch)] == [0, 0]  # type: ignore[union-attr]


async def test_goals_are_asked_for_only_when_the_tracker_knows_newer_ones(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.announcer.watch(["web"])
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Goals(7, ()))
    house.t1.revision = 7
    await trio.sleep(200)
    assert [watch.revision for watch in house.t1.all(Watch)] == [0]  # type: ignore[union-attr]
    house.t1.revision = 8
    await trio.sleep(20)
    assert [watch.revision for watch in house.t1.all(Watch)] == [0, 7]  # type: ignore[union-attr]


async def test_seeders_are_asked_for_only_when_the_trackers_list_has_changed(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Seeders((), 3))
    house.t1.seeders = 3
    await trio.sleep(200)
    assert len(house.t1.all(SeedersRequest)) == 1
    house.t1.seeders = 4
    await trio.sleep(20)
    assert len(house.t1.all(SeedersRequest)) == 2


async def test_who_was_told_of_no_seeder_asks_again_as_soon_as_there_is_something_to_fetch(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Seeders((), 0))
    await house.t1.say(Goals(7, (Goal("web", "global", "web@1", 7),)))
    await trio.sleep(0.1)
    assert len(house.t1.all(SeedersRequest)) == 2


async def test_each_announce_tells_how_far_we_are_by_then(house: House, autojump_clock: trio.testing.MockClock) -> None:
    statuses = [SwarmStatus(SWARM, have, 10, 5) for have in range(10)]
    house.announcer.look = lambda: [statuses.pop(0)]
    await house.start(house.t1)
    await trio.sleep(50)
    told = [message for message in house.t1.all(Announce) if isinstance(message, Announce)]
    assert [announce.swarms[0].have for announce in told] == [0, 1, 2]


async def test_a_service_added_to_the_watch_is_asked_for_from_the_beginning(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.announcer.watch(["web"])
    await house.start(house.t1)
    await trio.sleep(1)
    await house.t1.say(Goals(7, ()))
    await trio.sleep(1)
    house.announcer.watch(["web", "db"])
    await trio.sleep(1)
    assert house.t1.all(Watch)[-1] == Watch(("web", "db"), 0)


async def test_the_first_tracker_that_answers_is_taken(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start(house.t2)
    await trio.sleep(10)
    assert (house.announcer.connected, house.announcer.address) == (True, "t2:1")


async def test_it_says_why_it_is_not_connected(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start()
    await trio.sleep(10)
    assert (house.announcer.connected, "nobody listens at t" in house.announcer.last_error) == (False, True)


async def test_it_comes_home_to_the_first_tracker(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start(house.t2)
    await trio.sleep(10)
    await house.nursery.start(house.t1.serve)
    await trio.sleep(HOMECOMING_S + 5)
    assert house.announcer.address == "t1:1"


async def test_it_stays_away_while_home_takes_connections_but_does_not_answer(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t2)
    await trio.sleep(10)
    house.t1.silent = True
    await house.nursery.start(house.t1.serve)
    since = house.announcer.since
    await trio.sleep(5 * HOMECOMING_S)
    assert (house.announcer.address, house.announcer.since) == ("t2:1", since)


async def test_a_tracker_that_does_not_answer_is_left(house: House, autojump_clock: trio.testing.MockClock) -> None:
    house.t1.silent = True
    await house.start(house.t1, house.t2)
    await trio.sleep(ANSWER_TIMEOUT_S + 5)
    assert (house.announcer.connected, house.announcer.address) == (True, "t2:1")


async def test_a_partition_is_noticed_although_the_connection_stays_open(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    await house.start(house.t1, house.t2)
    await trio.sleep(60)
    house.network.partition("t1")
    await trio.sleep(house.t1.interval_s + ANSWER_TIMEOUT_S + 10)
    assert (house.announcer.connected, house.announcer.address) == (True, "t2:1")


async def test_a_tracker_that_refuses_is_not_stormed(house: House, autojump_clock: trio.testing.MockClock) -> None:
    async def refuse() -> None:
        listener = await house.network.host("t1").listen("t1:1")
        while True:
            stream = TrackerStream(await listener.accept())
            await stream.send(Refused(0, "wrong fleet"))

    house.nursery.start_soon(refuse)
    house.announcer = Announcer(house.network.host("a"), ("t1:1",), REGISTER, Random(1), house.heard.append)
    await house.start()
    await trio.sleep(600)
    assert house.announcer.last_error == "t1:1: wrong fleet"
    assert house.network.dials["t1:1"] < 70


async def test_a_tracker_that_talks_nonsense_is_left(house: House, autojump_clock: trio.testing.MockClock) -> None:
    await house.start(house.t1)
    await trio.sleep(5)
    assert house.t1.stream is not None
    await house.t1.stream.send_frames(b"\x00\x00\x00\x02\x00\xc1")
    await trio.lowlevel.checkpoint()
    await trio.testing.wait_all_tasks_blocked()
    assert "not a message" in house.announcer.last_error


@pytest.mark.parametrize("data", [b"\xff" * 8, b"\x00\x00\x00\x02\x01x"])
async def test_a_stream_translates_what_is_no_message(data: bytes, autojump_clock: trio.testing.MockClock) -> None:
    network = MemoryNetwork()
    listener = await network.host("b").listen("b:1")
    ours = await network.host("a").dial("b:1")
    theirs = TrackerStream(await listener.accept())
    await ours.send_all(data)
    with pytest.raises(RemoteProtocolError):
        await theirs.receive()
