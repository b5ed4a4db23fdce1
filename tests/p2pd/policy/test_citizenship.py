"""A guest on somebody's link takes what the owner allows, and says what holds it back."""

from math import inf

import pytest

from p2pd.limits import LimitsConfig, parse_window
from p2pd.policy.citizenship import Budget, Here, Now, Rates, Rules, allowance
from p2pd.policy.usage import Usage

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
NOON = Now(MONDAY, 12 * 60)
OFFICE = LimitsConfig(schedule=("mon-fri 08:00-18:00 up=off down=2MiB/s",)).rules(0, 0)
NIGHT = parse_window("sat 22:00-06:00 down=off")


def test_without_rules_nothing_is_held_back() -> None:
    assert allowance(Rules(), Here(), NOON).wide == Rates(inf, inf)


def test_in_business_hours_the_schedule_holds() -> None:
    allowed = allowance(OFFICE, Here(), NOON)
    assert allowed.wide == Rates(0, 2 << 20)
    assert allowed.upload_because == "the schedule until 18:00"


@pytest.mark.parametrize("now", [Now(MONDAY, 18 * 60), Now(MONDAY, 8 * 60 - 1), Now(SATURDAY, 12 * 60)])
def test_outside_business_hours_it_does_not(now: Now) -> None:
    assert allowance(OFFICE, Here(), now).wide == Rates(inf, inf)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    assert NIGHT.covers(SATURDAY, 23 * 60)
    assert NIGHT.covers(SUNDAY, 5 * 60)
    assert not NIGHT.covers(SATURDAY, 5 * 60)
    assert not NIGHT.covers(SUNDAY, 23 * 60)


def test_days_may_go_over_the_weekend() -> None:
    assert parse_window("fri-mon 00:00-24:00 up=off").days == {4, 5, 6, 0}


@pytest.mark.parametrize(
    "line",
    ["", "mon", "mon 8:00-9:00 up=1", "funday 08:00-09:00 up=off", "mon 25:00-26:00 up=off", "mon 08:00-09:00 up=x"],
)
def test_a_line_that_is_no_window_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        parse_window(line)


def test_a_used_up_budget_ends_that_direction_only() -> None:
    rules = Rules(daily=Budget(upload_bytes=1000))
    allowed = allowance(rules, Here(), Now(MONDAY, 0, day=Budget(1000, 5)))
    assert allowed.wide == Rates(0, inf)
    assert allowed.upload_because == "the daily budget is used up"


def test_a_months_budget_counts_too() -> None:
    allowed = allowance(Rules(monthly=Budget(download_bytes=10)), Here(), Now(MONDAY, 0, month=Budget(0, 10)))
    assert allowed.wide == Rates(inf, 0)


def test_the_lan_is_free_whatever_happens_outside() -> None:
    assert allowance(OFFICE, Here(metered=True), NOON).lan == Rates(inf, inf)


def test_a_metered_network_is_left_alone_unless_the_owner_says_otherwise() -> None:
    assert allowance(Rules(), Here(metered=True), NOON).wide == Rates(0, 0)
    assert allowance(Rules(on_metered="download"), Here(metered=True), NOON).wide == Rates(0, inf)


def test_on_battery_nothing_is_served() -> None:
    assert allowance(Rules(), Here(battery=True), NOON).wide == Rates(0, inf)


@pytest.mark.parametrize("here", [Here(metered=True), Here(public=True)])
def test_nobody_is_looked_for_on_a_lan_that_is_not_ones_own(here: Here) -> None:
    assert not allowance(Rules(), here, NOON).lan_discovery


def test_use_is_counted_by_day_and_by_month() -> None:
    usage = Usage()
    usage.add("2026-11-21", upload=1, download=10)
    usage.add("2026-11-22", upload=2, download=20)
    assert (usage.by_day, usage.by_month) == (Budget(2, 20), Budget(3, 30))
    usage.add("2026-12-01", upload=4, download=40)
    assert (usage.by_day, usage.by_month) == (Budget(4, 40), Budget(4, 40))


def test_use_survives_being_written_down() -> None:
    usage = Usage()
    usage.add("2026-11-22", upload=2, download=20)
    assert Usage.from_document(usage.to_document()) == usage


@pytest.mark.parametrize("document", [None, {}, {"day": ""}, {"day": "", "month": "", "by_day": [1], "by_month": [1]}])
def test_a_damaged_ledger_is_an_empty_one(document: object) -> None:
    assert Usage.from_document(document) == Usage()
