"""Each reason for which nothing comes has a name of its own."""

import pytest

from p2pd.policy.citizenship import Budget, Here, Now, Rules, Window, allowance, rule_of
from p2pd.policy.sources import STALL_S, Tier
from p2pd.swarm import Ledger, Reason
from p2pd.swarm.ledger import WORDS
from p2pd.wire import bits
from p2pd.wire.messages import Reject

from .driver import Driver


def reason(driver: Driver) -> Reason | None:
    """Now."""
    return driver.brain.standstill(driver.now)


def test_what_is_whole_needs_no_reason() -> None:
    assert reason(Driver(2, present=0b11)) is None


def test_nobody_is_there() -> None:
    assert reason(Driver(2)) is Reason.NO_PEER


def test_nobody_who_is_there_has_it() -> None:
    driver = Driver(2)
    driver.peer("newcomer", held=0)
    assert reason(driver) is Reason.UNHELD


def test_who_was_asked_says_nothing() -> None:
    driver = Driver(2)
    driver.peer("ann")
    assert reason(driver) is Reason.SILENT


def test_who_has_it_was_silent_for_too_long() -> None:
    driver = Driver(2)
    driver.peer("ann")
    driver.wait(STALL_S + 0.5)
    assert reason(driver) is Reason.SNUBBED


def test_who_has_it_is_busy() -> None:
    driver = Driver(1)
    driver.peer("ann")
    driver.say("ann", Reject(0, 0, "busy"))
    assert reason(driver) is Reason.CHOKED


def test_what_is_missing_is_left_to_others_behind_our_link() -> None:
    driver = Driver(8)
    driver.peer("beside", held=0)
    theirs = bits.full(8) & ~driver.brain._circles.region.importable(0.0)
    driver.peer("beyond", held=theirs, tier=Tier.REMOTE)
    assert theirs
    assert reason(driver) is Reason.LEFT


def test_our_own_cap_keeps_us_from_reading() -> None:
    driver = Driver(2)
    driver.peer("ann")
    driver.brain.not_read("ann", driver.now)
    assert reason(driver) is Reason.CAPPED
    driver.now += 2.0
    assert reason(driver) is Reason.SILENT


def test_who_waits_for_our_own_cap_is_not_silent() -> None:
    driver = Driver(2)
    driver.peer("ann")
    driver.wait(4 * STALL_S, meanwhile=lambda: driver.brain.not_read("ann", driver.now))
    assert driver.brain.snapshot(driver.now).peers[0].snubbed is False


def test_http_is_not_asked_because_of_our_own_cap() -> None:
    driver = Driver(2)
    driver.brain.use_origin(True, 0.0)
    driver.peer("ann")
    driver.wait(4 * STALL_S, meanwhile=lambda: driver.brain.not_read("ann", driver.now))
    assert driver.fetched() == []


def test_what_came_is_being_verified() -> None:
    driver = Driver(1)
    driver.peer("ann")
    driver.brain.arrived("ann", 1000, 0.0)
    driver.brain.delivered("ann", 0, 0.0)
    assert reason(driver) is Reason.VERIFYING


def test_a_person_paused_it() -> None:
    driver = Driver(2)
    driver.brain.pause()
    assert reason(driver) is Reason.PAUSED


NOON = Now(weekday=0, minute=720)
ALL_DAY = Window(frozenset(range(7)), 0, 1440, download_per_s=0.0)


@pytest.mark.parametrize(
    ("rules", "here", "now", "expected"),
    [
        (Rules(), Here(metered=True), NOON, Reason.METERED),
        (Rules(on_battery="nothing"), Here(battery=True), NOON, Reason.BATTERY),
        (Rules(windows=(ALL_DAY,)), Here(), NOON, Reason.SCHEDULE),
        (Rules(daily=Budget(download_bytes=1)), Here(), Now(0, 0, day=Budget(0, 1)), Reason.BUDGET),
        (Rules(monthly=Budget(download_bytes=1)), Here(), Now(0, 0, month=Budget(0, 1)), Reason.BUDGET),
    ],
)
def test_each_of_the_owners_rules_is_a_reason(rules: Rules, here: Here, now: Now, expected: Reason) -> None:
    driver = Driver(2)
    driver.peer("ann")
    driver.brain.hold_back(allowance(rules, here, now).download_because, 0.0)
    assert reason(driver) is expected


def test_the_rules_do_not_hold_for_the_lan() -> None:
    driver = Driver(2)
    driver.brain.hold_back("this network is metered", 0.0)
    driver.peer("ann", tier=Tier.LAN)
    assert reason(driver) is Reason.SILENT


def test_a_rule_of_another_kind_is_a_cap() -> None:
    assert Reason(rule_of("the cap")) is Reason.CAPPED


def test_seconds_add_up_by_reason() -> None:
    ledger = Ledger()
    for moved, why in ((5.0, None), (9.0, Reason.UNHELD), (1.0, Reason.CAPPED), (2.0, Reason.CAPPED)):
        ledger.note(moved, why)
    assert ledger.moved_s == 5.0
    assert ledger.by_reason() == {"unheld": 9.0, "capped": 3.0}
    assert ledger.words() == "12 s without progress: 9 s no peer has the missing pieces, 3 s capped"


def test_nothing_is_said_of_a_download_that_always_moved() -> None:
    ledger = Ledger()
    ledger.note(5.0, None)
    assert ledger.words() == ""


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)
