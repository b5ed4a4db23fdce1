"""Being in the background of a link: looks how our connections fare there, and lets others go first."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any, Final

import trio

from p2pd.exchange import Exchange
from p2pd.exchange.caps import Way
from p2pd.exchange.session import Session
from p2pd.limits import LimitsConfig
from p2pd.policy.sources import Tier
from p2pd.policy.yielding import ROUND_S, Yielding
from p2pd.world.network import Measured

IDLE_S: Final = 0.5
"""Between two looks while nothing moves."""
PINGED_MAX: Final = 4
"""Of those that brought something last."""
AWAKE_S: Final = 3.0
"""After the last that moved."""


@dataclass(slots=True)
class _Side:
    """One side of the house. `moved`: bytes passed there, up and down, as of the last look."""

    way: Way
    yielding: Yielding = field(default_factory=Yielding)
    moved: tuple[float, float] = (0, 0)


class Background:
    """`limits` say on which side of the house to be in the background. `lines`: what HTTP comes over."""

    def __init__(self, exchange: Exchange, lines: Iterable[Measured], limits: LimitsConfig) -> None:
        self._exchange, self._lines = exchange, lines
        caps = exchange.caps
        sides = (("lan", caps.lan, limits.lan_background), ("wide", caps.wide, limits.background))
        self._sides = {name: _Side(way) for name, way, on in sides if on}

    async def run(self) -> None:
        """Until cancelled."""
        moved_at = -math.inf
        while self._sides:
            now = trio.current_time()
            if max([self._look(side, now) for side in self._sides.values()]):
                moved_at = now
            await trio.sleep(ROUND_S if now - moved_at < AWAKE_S else IDLE_S)

    def _look(self, side: _Side, now: float) -> bool:
        """Anything moved since the last look."""
        way, sessions = side.way, list(self._sessions(side.way))
        streams = [stream for _, stream in sessions]
        if way is self._exchange.caps.way(Tier.ORIGIN):
            streams += self._lines
        transits = [found for stream in streams if (found := stream.transit()) is not None]
        before, side.moved = side.moved, (way.up.used(now), way.down.used(now))
        rates = side.yielding.look(transits, *side.moved, now)
        way.yield_to(rates)
        for stream in streams:
            stream.hold_to(rates.upload_per_s)
        if side.moved[1] > before[1]:  # who only receives has nothing acknowledged, and learns of no queue
            for session in nlargest(PINGED_MAX, (one for one, _ in sessions), key=lambda one: one.useful_at):
                session.ping()
        return side.moved != before

    def _sessions(self, way: Way) -> Iterator[tuple[Session, Measured]]:
        for session in self._exchange.neighbours.sessions.values():
            if isinstance(session.stream, Measured) and self._exchange.caps.way(session.tier) is way:
                yield session, session.stream

    def yields(self, tier: Tier) -> bool:
        """Others leave us little for what comes from there."""
        way = self._exchange.caps.way(tier)
        return any(side.way is way and side.yielding.down.yields for side in self._sides.values())

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Of each side: what others leave us, and whether that is less than half of what we know to fit."""
        return {
            name: {
                "queue_s": side.yielding.queue_s,
                **{
                    f"{direction}_{key}": value
                    for direction, way in (("upload", side.yielding.up), ("download", side.yielding.down))
                    for key, value in (
                        ("bytes_per_s", way.rate_per_s),
                        ("known_bytes_per_s", way.known_per_s),
                        ("yields", way.yields),
                    )
                },
            }
            for name, side in self._sides.items()
        }
