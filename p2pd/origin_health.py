"""Which of several HTTP sources to ask next, and which to leave alone for a while. A brain: told the time and the dice.

Sources stand in tiers (shields before the CDN). Within a tier an object always prefers the same source (rendezvous
hashing), so that three shields share the work of filling themselves instead of each fetching everything. A source
that fails is left alone for a random time up to a bound that doubles with each failure in a row (full jitter:
"Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that a fleet does not come back in step.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Final

from xxhash import xxh3_64_intdigest

BACKOFF_BASE_S: Final = 0.5
BACKOFF_MAX_S: Final = 60.0
RETRY_AFTER_MAX_S: Final = 300.0
"""A source may ask for more patience than our own bound, but not for ever."""


class Outcome(Enum):
    """How an attempt ended. All but OK and MISSING count against the source."""

    OK = "ok"
    MISSING = "missing"
    """404 or 410: it answers well, it just does not have this."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke."""
    STALLED = "stalled"
    """Connected, but no byte for too long."""
    REFUSED = "refused"
    """Any other 4xx, 416 among them."""
    REDIRECTED = "redirected"
    """To where we don't go, or too often in a row."""
    FAILING = "failing"
    """5xx or 429."""
    WRONG_LENGTH = "wrong length"
    CORRUPT = "corrupt"
    """The length was right, the digest was not."""


HARMLESS: Final = frozenset({Outcome.OK, Outcome.MISSING})


@dataclass(frozen=True, slots=True)
class Source:
    """Where content may be had. `name` is what its bytes are counted under: `shield` or `cdn`. Lower tiers first."""

    name: str
    base_url: str
    tier: int = 0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One source at one moment. `resting_s`: how long it is still left alone."""

    name: str
    base_url: str
    bytes_received: int
    failures_in_a_row: int
    resting_s: float
    outcomes: dict[str, int]


@dataclass(slots=True)
class _State:
    failures: int = 0
    rests_until: float = 0.0
    bytes_received: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)


class OriginHealth:
    """Owns what is known of each source."""

    def __init__(self, sources: Sequence[Source], rng: Random) -> None:
        self.sources: tuple[Source, ...] = ()
        self._rng = rng
        self._states: dict[Source, _State] = {}
        self._bytes_of_the_gone: Counter[str] = Counter()
        self.use(sources)

    def __repr__(self) -> str:
        known = ", ".join(f"{source.base_url} {state.failures}" for source, state in self._states.items())
        return f"<OriginHealth failures in a row: {known}>"

    def use(self, sources: Sequence[Source]) -> None:
        """These are there from now on; what is known of those that were there before stays known."""
        for known, state in self._states.items():
            if known not in sources:
                self._bytes_of_the_gone[known.name] += state.bytes_received
        self.sources = tuple(sources)
        self._states = {source: self._states.get(source) or _State() for source in self.sources}

    def order(self, key: bytes, now: float) -> list[Source]:
        """The sources that may be asked for the object of this key, best first; empty when all are resting."""
        awake = [source for source in self.sources if self._states[source].rests_until <= now]
        return sorted(awake, key=lambda source: (source.tier, xxh3_64_intdigest(source.base_url.encode() + key)))

    def next_retry(self) -> float:
        """When the first resting source may be asked again, on the clock of `now`; inf when there is no source."""
        return min((state.rests_until for state in self._states.values()), default=float("inf"))

    def attempted(
        self, source: Source, outcome: Outcome, *, received_bytes: int, now: float, retry_after_s: float = 0.0
    ) -> None:
        """An attempt ended. `retry_after_s`: what the source asked for."""
        state = self._states.get(source)
        if state is None:  # it is gone, since this was asked
            self._bytes_of_the_gone[source.name] += received_bytes
            return
        state.outcomes[outcome] += 1
        state.bytes_received += received_bytes
        if outcome in HARMLESS:
            state.failures, state.rests_until = 0, 0.0
            return
        bound_s = min(BACKOFF_MAX_S, BACKOFF_BASE_S * 2.0 ** min(state.failures, 16))
        state.failures += 1
        rest_s = max(self._rng.uniform(0.0, bound_s), min(retry_after_s, RETRY_AFTER_MAX_S))
        state.rests_until = max(state.rests_until, now + rest_s)

    def bytes_by_source(self) -> dict[str, int]:
        """Bytes received under each name, those of failed attempts too: they were paid for."""
        total = Counter(self._bytes_of_the_gone)
        for source, state in self._states.items():
            total[source.name] += state.bytes_received
        return dict(total)

    def snapshot(self, now: float) -> tuple[SourceFacts, ...]:
        """Facts for status pages."""
        return tuple(
            SourceFacts(
                source.name,
                source.base_url,
                state.bytes_received,
                state.failures,
                max(0.0, state.rests_until - now),
                {outcome.value: count for outcome, count in state.outcomes.items()},
            )
            for source, state in self._states.items()
        )
