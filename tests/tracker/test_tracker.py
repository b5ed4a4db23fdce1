"""The tracker's brain: what follows from what was said."""

from random import Random
from typing import Any

import pytest

from p2pd.wire.announce import (
    Announce,
    AnyTrackerMessage,
    Deploy,
    Done,
    Handout,
    Importing,
    Refused,
    Register,
    Renewed,
    Report,
    Rollback,
    Seeders,
    SeedersRequest,
    StatusRequest,
    Watch,
)
from p2pd.wire.announce import Goals as GoalsMessage
from p2pd.world.network import Identity
from tracker.config import TrackerConfig
from tracker.deeds import Close, Commit, Deed, Send
from tracker.goals.goals import Goals
from tracker.tracker import HANDSHAKE_S, Tracker

from .nodes import OTHER, PIECES, SWARM, goal, register, report, status

UTC = 1_700_000_000.0


class Talk:
    """A tracker and those who talk to it, by number, at a time that the test sets."""

    def __init__(self, *goals: Any, **settings: Any) -> None:
        self.now = 100.0
        self.tracker = Tracker(TrackerConfig(fleet="f", **settings), Goals(goals), Random(1))

    def join(
        self, number: int, greeting: Register, identity: Identity | None = None, address: str = "127.0.0.1:9"
    ) -> list[Deed]:
        deeds = self.tracker.connected(number, identity or Identity(), address, self.now)
        return deeds or self.say(number, greeting)

    def say(self, number: int, message: AnyTrackerMessage) -> list[Deed]:
        return self.tracker.receive(number, message, self.now, UTC)

    def hear(self, number: int, message: AnyTrackerMessage) -> list[Any]:
        """What the speaker is told in return."""
        return [deed.message for deed in self.say(number, message) if isinstance(deed, Send) and deed.session == number]

    def wait(self, seconds: float) -> list[Deed]:
        self.now += seconds
        return self.tracker.handle_timer(self.now)

    def peers(self, number: int, have: int = 0) -> set[str]:
        [handout, _] = self.hear(number, Announce((status(have, wanted=10),)))
        assert isinstance(handout, Handout)
        return {peer.node for peer in handout.peers}


@pytest.fixture
def talk() -> Talk:
    return Talk()


def closed(deeds: list[Deed], number: int = 1) -> str:
    """Why this connection was closed."""
    [error] = [deed.error for deed in deeds if isinstance(deed, Close) and deed.session == number]
    return error


def test_peers_of_one_swarm_are_told_of_each_other(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.join(2, register("b"))
    talk.peers(1)
    assert talk.peers(2) == {"a"}


def test_an_announce_is_answered_by_handouts_and_then_renewed(talk: Talk) -> None:
    talk.join(1, register("a"))
    answers = talk.hear(1, Announce((status(wanted=5), status(swarm=OTHER))))
    assert answers == [Handout(SWARM, (), (), 1.2), Renewed(5.0)]


def test_a_handout_says_who_is_complete(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.hear(1, Announce((status(PIECES),)))
    talk.join(2, register("b"))
    [handout, _] = talk.hear(2, Announce((status(wanted=5),)))
    assert [(peer.node, peer.address, peer.complete) for peer in handout.peers] == [("a", "a:1", True)]


def test_a_handout_says_how_many_others_have_all_of_it(talk: Talk) -> None:
    for number, (name, have) in enumerate((("a", PIECES), ("b", PIECES), ("c", 0)), start=1):
        talk.join(number, register(name))
        talk.hear(number, Announce((status(have),)))
    handouts = [talk.hear(number, Announce((status(have, wanted=5),)))[0] for number, have in ((1, PIECES), (3, 0))]
    assert [handout.holders for handout in handouts] == [1, 2]


def test_seeders_of_the_own_region_are_told_first(talk: Talk) -> None:
    for number, region in enumerate(("us", "asia", "eu", "us"), start=1):
        talk.join(number, register(f"s{number}", region, "seeder"))
    talk.join(9, register("a", "eu"))
    [seeders] = talk.hear(9, SeedersRequest())
    assert isinstance(seeders, Seeders)
    assert [seeders.seeders[0].node, len(seeders.seeders)] == ["s3", 4]


def test_seeders_of_the_own_rack_and_zone_come_before_others_of_the_region(talk: Talk) -> None:
    for number, place in enumerate(("us", "eu", "eu/hall/rack", "eu/yard", "eu/hall"), start=1):
        talk.join(number, register(f"s{number}", place, "seeder"))
    talk.join(9, register("a", "eu/hall/rack"))
    [seeders] = talk.hear(9, SeedersRequest())
    assert [one.region for one in seeders.seeders[:2]] == ["eu/hall/rack", "eu/hall"]


def test_a_handout_says_what_may_come_into_a_zone_and_a_rack() -> None:
    talk = Talk(copies_per_zone_link=2.0)
    talk.join(1, register("a", "eu/hall/rack"))
    [handout, _] = talk.hear(1, Announce((status(wanted=5),)))
    assert handout == Handout(SWARM, (), (), 1.2, 0, (Importing("zone", (), 2.0),))


def test_a_host_in_a_rack_reports_for_its_region(talk: Talk) -> None:
    talk.join(1, register("a", "eu/hall/rack"))
    assert talk.say(1, Report((report("a", region="eu"),))) == []


def test_a_node_that_says_nothing_is_closed_and_forgotten(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.peers(1)
    deeds = talk.wait(46)
    talk.wait(11)
    talk.join(2, register("b"))
    assert (closed(deeds), talk.peers(2)) == ("nothing was heard for 45 s", set())


def test_a_node_that_announces_stays(talk: Talk) -> None:
    talk.join(1, register("a"))
    for _ in range(10):
        talk.peers(1)
        assert talk.wait(40) == []


def test_a_node_that_lost_its_connection_is_named_until_the_grace_is_over(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.peers(1)
    talk.tracker.closed(1, talk.now)
    talk.join(2, register("b"))
    talk.wait(9)
    within = talk.peers(2)
    talk.wait(2)
    assert (within, talk.peers(2)) == ({"a"}, set())


def test_a_node_that_comes_back_within_the_grace_is_kept(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.peers(1)
    talk.tracker.closed(1, talk.now)
    talk.wait(5)
    talk.join(2, register("a"))
    talk.wait(30)
    talk.join(3, register("b"))
    assert talk.peers(3) == {"a"}


def test_a_node_that_comes_back_takes_the_place_of_its_former_connection(talk: Talk) -> None:
    talk.join(1, register("a"))
    deeds = talk.join(2, register("a"))
    assert "registered anew" in closed(deeds)


def test_who_does_not_say_who_it_is_is_closed(talk: Talk) -> None:
    talk.tracker.connected(1, Identity(), "127.0.0.1:9", talk.now)
    assert "nothing was heard" in closed(talk.wait(HANDSHAKE_S))


def test_the_first_message_must_be_register(talk: Talk) -> None:
    talk.tracker.connected(1, Identity(), "127.0.0.1:9", talk.now)
    assert "first message is Register" in closed(talk.say(1, Announce(())))


@pytest.mark.parametrize(
    "message",
    [Deploy(1, "web", "web@1", "global"), Rollback(1, "web", "global"), StatusRequest(1), register("a"), Renewed(1.0)],
)
@pytest.mark.parametrize("role", ["daemon", "seeder", "tracker"])
def test_only_an_operator_may_command(talk: Talk, role: str, message: AnyTrackerMessage) -> None:
    talk.join(1, register("a", role=role))
    assert f"a {role} may not send" in closed(talk.say(1, message))


def test_an_operator_can_not_announce(talk: Talk) -> None:
    talk.join(1, register("o", "", "operator"))
    assert "may not send Announce" in closed(talk.say(1, Announce(())))


def test_a_closed_connection_is_not_heard_any_more(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.say(1, Renewed(1.0))
    assert talk.say(1, Announce((status(wanted=3),))) == []


@pytest.mark.parametrize(
    "greeting, why",
    [
        (register("a", fleet="other"), "serves fleet 'f'"),
        (Register(99, "f", "a", "eu", "daemon", ""), "version 99"),
        (register("a", region=""), "must say its region"),
        (register("a", region="eu//rack"), "expected a region"),
        (register("a\x1b[2J"), "printable"),
        (register("t", "global", "tracker"), "trackers of regions"),
    ],
)
def test_who_does_not_belong_here_is_refused(talk: Talk, greeting: Register, why: str) -> None:
    assert why in closed(talk.join(1, greeting))


@pytest.mark.parametrize(
    "lie", [register("b"), register("a", "us"), register("a", "eu/hall"), register("a", role="seeder")]
)
def test_a_lie_about_a_proven_identity_is_refused(talk: Talk, lie: Register) -> None:
    proven = Identity("a", "eu", "daemon", proven=True)
    assert "your certificate says" in closed(talk.join(1, lie, proven))


def test_an_unproven_operator_from_elsewhere_is_refused(talk: Talk) -> None:
    assert "this machine only" in closed(talk.join(1, register("o", "", "operator"), address="10.0.0.7:9"))


def test_an_unproven_operator_from_elsewhere_is_taken_where_that_is_wanted() -> None:
    assert Talk(open_operators=True).join(1, register("o", "", "operator"), address="10.0.0.7:9") == []


def test_connections_are_bounded() -> None:
    talk = Talk(connections_max=1)
    talk.join(1, register("a"))
    assert "full" in closed(talk.join(2, register("b")), 2)


def test_a_watch_is_answered_even_if_nothing_is_newer() -> None:
    talk = Talk(goal(1, "web@1"))
    talk.join(1, register("a"))
    assert talk.hear(1, Watch(("web",), 1)) == [GoalsMessage(1, ())]


def test_a_watch_tells_what_is_newer() -> None:
    talk = Talk(goal(1, "web@1"), goal(2, "db@1", service="db"))
    talk.join(1, register("a"))
    assert talk.hear(1, Watch((), 1)) == [GoalsMessage(2, (goal(2, "db@1", service="db"),))]


def test_a_watch_of_very_many_goals_is_answered_in_parts() -> None:
    talk = Talk(*(goal(number, "x@1", service=f"s{number}") for number in range(1, 1000)))
    talk.join(1, register("t", "eu", "tracker"))
    parts = talk.hear(1, Watch((), 0))
    assert [(part.revision, len(part.goals)) for part in parts] == [(256, 256), (512, 256), (768, 256), (999, 231)]


def told(talk: Talk, *greetings: tuple[Register, tuple[str, ...]]) -> set[str]:
    """Who is pushed a new goal of `web` in `eu`."""
    for number, (greeting, services) in enumerate(greetings, start=1):
        talk.join(number, greeting)
        talk.say(number, Watch(services, 0))
    pushed = talk.tracker.committed(goal(1, "web@1", "eu"), talk.now)
    names = {number: greeting.node for number, (greeting, _) in enumerate(greetings, start=1)}
    return {names[deed.session] for deed in pushed}


def test_a_goal_is_pushed_to_those_whom_it_concerns(talk: Talk) -> None:
    watchers = (
        (register("of-the-service"), ("web",)),
        (register("of-all"), ()),
        (register("of-another"), ("db",)),
        (register("in-a-rack", "eu/hall/rack"), ("web",)),
        (register("elsewhere", "us"), ("web",)),
        (register("elsewhere-in-a-rack", "us/eu/eu"), ("web",)),
        (register("tracker", "us", "tracker"), ()),
    )
    assert told(talk, *watchers) == {"of-the-service", "of-all", "in-a-rack", "tracker"}


def test_a_deploy_is_stored_before_anything_else(talk: Talk) -> None:
    talk.join(1, register("o", "", "operator"))
    [deed] = talk.say(1, Deploy(7, "web", "web@1", "global", by="alice"))
    assert isinstance(deed, Commit)
    assert (deed.number, deed.goal.by, deed.goal.at, talk.tracker.goals.revision) == (7, "alice", UTC, 0)


def test_a_proven_name_counts_more_than_a_said_one(talk: Talk) -> None:
    talk.join(1, register("bob", "", "operator"), Identity("bob", "", "release-manager", proven=True))
    [deed] = talk.say(1, Deploy(7, "web", "web@1", "global", by="alice"))
    assert isinstance(deed, Commit)
    assert deed.goal.by == "bob"


def test_a_wrong_command_is_refused_by_its_number_and_the_connection_stays(talk: Talk) -> None:
    talk.join(1, register("o", "", "operator"))
    [refused] = talk.hear(1, Deploy(7, "web", "nonsense", "global"))
    assert isinstance(refused, Refused)
    assert refused.number == 7
    assert talk.hear(1, StatusRequest(8))


def test_a_region_refuses_commands_and_names_the_global_tracker() -> None:
    talk = Talk(region="eu", upstream="global.example:8470")
    talk.join(1, register("o", "", "operator"))
    [refused] = talk.hear(1, Deploy(7, "web", "web@1", "eu"))
    assert "global.example:8470" in refused.error


def test_a_region_tells_its_status() -> None:
    talk = Talk(region="eu", upstream="global.example:8470")
    talk.join(1, register("o", "", "operator"))
    [done] = talk.hear(1, StatusRequest(7))
    assert isinstance(done, Done)
    assert done.result["tracker"]["region"] == "eu"  # type: ignore[index]


@pytest.mark.parametrize("lie", [report("b"), report("a", region="us")])
def test_a_daemon_that_reports_for_others_is_closed(talk: Talk, lie: Any) -> None:
    talk.join(1, register("a"))
    assert "may not report for" in closed(talk.say(1, Report((lie,))))


def test_a_daemon_can_not_call_itself_stale(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.say(1, Report((report("a", stale=True),)))
    assert [one.stale for one in talk.tracker.reports.hosts()] == [False]


def test_a_daemon_with_endless_services_is_closed(talk: Talk) -> None:
    talk.join(1, register("a"))
    flood = tuple(report("a", service=f"s{number}") for number in range(2000))
    assert "more than 1024 services" in closed(talk.say(1, Report(flood)))


def test_reports_of_a_lost_node_turn_stale(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.say(1, Report((report("a"),)))
    talk.tracker.closed(1, talk.now)
    talk.wait(11)
    assert [one.stale for one in talk.tracker.reports.hosts()] == [True]


def test_reports_of_a_lost_region_turn_stale(talk: Talk) -> None:
    talk.join(1, register("tracker-eu", "eu", "tracker"))
    talk.say(1, Report((report("a"), report("b"))))
    talk.wait(46)
    talk.wait(11)
    assert [one.stale for one in talk.tracker.reports.hosts()] == [True, True]


def test_a_region_passes_on_that_a_host_fell_silent() -> None:
    talk = Talk(region="eu", upstream="g:1")
    talk.join(1, register("a"))
    talk.say(1, Report((report("a"),)))
    talk.tracker.unsent.take(10)
    talk.tracker.closed(1, talk.now)
    talk.wait(11)
    assert [(one.node, one.stale) for one in talk.tracker.unsent.take(10)] == [("a", True)]


def test_the_global_tracker_keeps_nothing_for_upstream(talk: Talk) -> None:
    talk.join(1, register("a"))
    talk.say(1, Report((report("a"),)))
    assert len(talk.tracker.unsent) == 0
