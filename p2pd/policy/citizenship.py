"""What a good guest on somebody's link may use now: caps, hours, budgets, and where the machine is.

the rate for LAN peers        its own cap, always
the rate for everybody else   the least of: the cap; this hour's cap; 0 once the bytes of the day or month are used;
                              0 both ways on a metered network, 0 upwards on battery, unless the owner said otherwise
LAN discovery                 not on networks that are metered or public
"""

from dataclasses import dataclass
from math import inf
from typing import Final

MINUTES_OF_DAY: Final = 24 * 60
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
METERED: Final = "this network is metered"
BATTERY: Final = "the machine runs on battery"
SCHEDULE: Final = "the schedule"
BUDGET: Final = "budget is used up"
CHOICES: Final = ("nothing", "download", "all")
"""What may go over the wide area on a metered network, or on battery."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some weekdays (0 is Monday), from `start` until before `end` in minutes of the day; rates in bytes a
    second. One that ends before it starts lasts over midnight, and belongs to the day on which it begins."""

    days: frozenset[int]
    start: int
    end: int
    upload_per_s: float = inf
    download_per_s: float = inf

    def covers(self, weekday: int, minute: int) -> bool:
        """Is it now?"""
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        before = (weekday - 1) % len(DAYS)
        return (weekday in self.days and minute >= self.start) or (before in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes a second; infinite where nothing holds them back, 0 for none at all."""

    upload_per_s: float = inf
    download_per_s: float = inf


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of a day or a month, both ways; infinite for no budget."""

    upload_bytes: float = inf
    download_bytes: float = inf


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner wants."""

    lan: Rates = Rates()
    wide: Rates = Rates()
    windows: tuple[Window, ...] = ()
    daily: Budget = Budget()
    monthly: Budget = Budget()
    on_metered: str = "nothing"
    on_battery: str = "download"

    @property
    def changing(self) -> bool:
        """Do they depend on the time, or on what was used?"""
        return bool(self.windows) or self.daily != Budget() or self.monthly != Budget()


@dataclass(frozen=True, slots=True)
class Here:
    """Where the machine is, as a probe found."""

    metered: bool = False
    public: bool = False
    battery: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """Local time, and the bytes used of the running day and month by peers and servers outside the LAN."""

    weekday: int
    minute: int
    day: Budget = Budget(0, 0)
    month: Budget = Budget(0, 0)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be used now. `because`: what holds the wide area back most, '' if nothing does."""

    lan: Rates = Rates()
    wide: Rates = Rates()
    lan_discovery: bool = True
    upload_because: str = ""
    download_because: str = ""


def allowance(rules: Rules, here: Here, now: Now) -> Allowance:
    """By the rules above."""
    bounds = [(rules.wide, "the cap"), *_hours(rules, now), *_budgets(rules, now), *_places(rules, here)]
    up, up_because = min(((rates.upload_per_s, why) for rates, why in bounds), key=lambda one: one[0])
    down, down_because = min(((rates.download_per_s, why) for rates, why in bounds), key=lambda one: one[0])
    return Allowance(
        lan=rules.lan,
        wide=Rates(up, down),
        lan_discovery=not (here.metered or here.public),
        upload_because=up_because if up < inf else "",
        download_because=down_because if down < inf else "",
    )


def rule_of(because: str) -> str:
    """Which kind of rule it is that gives this reason: metered, battery, budget, schedule or capped."""
    kinds = {METERED: "metered", BATTERY: "battery", BUDGET: "budget", SCHEDULE: "schedule"}
    return next((kind for words, kind in kinds.items() if words in because), "capped")


def _hours(rules: Rules, now: Now) -> list[tuple[Rates, str]]:
    covering = [window for window in rules.windows if window.covers(now.weekday, now.minute)]
    return [
        (Rates(one.upload_per_s, one.download_per_s), f"{SCHEDULE} until {one.end // 60:02}:{one.end % 60:02}")
        for one in covering
    ]


def _budgets(rules: Rules, now: Now) -> list[tuple[Rates, str]]:
    return [
        (
            Rates(
                0 if used.upload_bytes >= budget.upload_bytes else inf,
                0 if used.download_bytes >= budget.download_bytes else inf,
            ),
            f"the {name} {BUDGET}",
        )
        for name, budget, used in (("daily", rules.daily, now.day), ("monthly", rules.monthly, now.month))
    ]


def _places(rules: Rules, here: Here) -> list[tuple[Rates, str]]:
    found = [(rules.on_metered, METERED)] if here.metered else []
    found += [(rules.on_battery, BATTERY)] if here.battery else []
    return [(_rates_of(choice), why) for choice, why in found]


def _rates_of(choice: str) -> Rates:
    return {"nothing": Rates(0, 0), "download": Rates(0, inf), "all": Rates()}[choice]
