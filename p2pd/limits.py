"""The table `[limits]` of the configuration: what the daemon may use of its owner's links."""

import re
from dataclasses import dataclass
from math import inf
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from manifests.console import parse_bytes
from p2pd.policy.citizenship import CHOICES, DAYS, MINUTES_OF_DAY, Budget, Rates, Rules, Window

_WINDOW: Final = re.compile(
    r"(?P<days>[a-z,-]+) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)(?P<rates>( (up|down)=\S+){1,2})"
)
_EXAMPLE: Final = "'mon-fri 08:00-18:00 up=off down=2MiB/s'"


@dataclass(frozen=True)
class LimitsConfig:
    """Caps and budgets of 0 are none; those without `lan` are for everything outside the LAN.

    `schedule`: lines such as 'mon-fri 08:00-18:00 up=off down=2MiB/s', in the time of `time_zone` ('': the machine's).
    `on_metered`, `on_battery`: what may then go outside the LAN: nothing, download or all. `probe`: a command that
    prints {"metered": false, "public": false, "battery": false}; without one, the machine itself is looked at.
    `background`, `lan_background`: use of that side what others leave, by how long the queues there are.
    """

    lan_upload_bytes_per_s: int = 0
    lan_download_bytes_per_s: int = 0
    daily_upload_bytes: int = 0
    daily_download_bytes: int = 0
    monthly_upload_bytes: int = 0
    monthly_download_bytes: int = 0
    schedule: tuple[str, ...] = ()
    time_zone: str = ""
    on_metered: str = "nothing"
    on_battery: str = "download"
    background: bool = False
    lan_background: bool = False
    probe: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lan_upload_bytes_per_s", "lan_download_bytes_per_s", *_BUDGETS):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative (0: none)")
        for name in ("on_metered", "on_battery"):
            if getattr(self, name) not in CHOICES:
                raise ValueError(f"{name} = {getattr(self, name)!r}: expected one of {', '.join(CHOICES)}")
        if self.time_zone:
            try:
                ZoneInfo(self.time_zone)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(
                    f"time_zone = {self.time_zone!r}: no such zone, expected one such as Europe/Berlin"
                ) from None
        for line in self.schedule:
            parse_window(line)

    def rules(self, upload_bytes_per_s: float, download_bytes_per_s: float) -> Rules:
        """With the caps for everything outside the LAN."""
        return Rules(
            lan=Rates(self.lan_upload_bytes_per_s or inf, self.lan_download_bytes_per_s or inf),
            wide=Rates(upload_bytes_per_s or inf, download_bytes_per_s or inf),
            windows=tuple(parse_window(line) for line in self.schedule),
            daily=Budget(self.daily_upload_bytes or inf, self.daily_download_bytes or inf),
            monthly=Budget(self.monthly_upload_bytes or inf, self.monthly_download_bytes or inf),
            on_metered=self.on_metered,
            on_battery=self.on_battery,
        )


_BUDGETS: Final = ("daily_upload_bytes", "daily_download_bytes", "monthly_upload_bytes", "monthly_download_bytes")


def parse_window(line: str) -> Window:
    """A line of the schedule; ValueError says what is wrong with it."""
    parts = _WINDOW.fullmatch(" ".join(line.lower().split()))
    if parts is None:
        raise ValueError(f"schedule: {line!r}: expected a line such as {_EXAMPLE}")
    rates = dict(part.split("=", 1) for part in parts["rates"].split())
    return Window(
        _days(parts["days"], line),
        _minute(parts["start"], line),
        _minute(parts["end"], line),
        _rate(rates.get("up"), line),
        _rate(rates.get("down"), line),
    )


def _days(text: str, line: str) -> frozenset[int]:
    found = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"schedule: {line!r}: {part!r} is no weekday; they are {', '.join(DAYS)}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found.update(day % len(DAYS) for day in range(start, end + 1 + (len(DAYS) if end < start else 0)))
    return frozenset(found)


def _minute(text: str, line: str) -> int:
    hours, _, minutes = text.partition(":")
    minute = int(hours) * 60 + int(minutes)
    if minute > MINUTES_OF_DAY or int(minutes) > 59:
        raise ValueError(f"schedule: {line!r}: {text} is no time of day")
    return minute


def _rate(text: str | None, line: str) -> float:
    if text is None:
        return inf
    if text == "off":
        return 0.0
    try:
        return parse_bytes(text.removesuffix("/s"))
    except ValueError as error:
        raise ValueError(f"schedule: {line!r}: {error}, or off") from None
