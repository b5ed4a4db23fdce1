"""Whom we could dial: the peers that the tracker named, who is to be left alone for a while, and who for good.

A brain; `p2pd.policy.dialing` holds the rule by which some of those that are due are chosen.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from p2pd.policy.backoff import Backoff
from p2pd.policy.dialing import Candidate

KNOWN_MAX: Final = 256
"""Candidates remembered a swarm: eight handouts."""
BANNED_MAX: Final = 4_096
"""A liar that comes under ever new names costs us no more memory than this; the oldest ban ends first."""
BAN_S: Final = 3600.0
"""For bytes that are not what was signed for: no accident that TCP lets pass explains that twice an hour."""
PAUSE_S_MIN: Final = 0.2


@dataclass(slots=True)
class _Pause:
    backoff: Backoff
    until: float = 0.0


class Directory:
    """`banned`: node to (until when, why)."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._swarms: dict[bytes, dict[str, Candidate]] = {}
        self._pauses: dict[str, _Pause] = {}
        self.banned: dict[str, tuple[float, str]] = {}

    def __repr__(self) -> str:
        return f"<Directory of {len(self._swarms)} swarms, {len(self.banned)} banned>"

    def suggest(self, swarm: bytes, candidates: Iterable[Candidate]) -> None:
        """These are said to be in the swarm. A new address replaces an old one."""
        known = self._swarms.setdefault(swarm, {})
        for candidate in candidates:
            if candidate.node in known or len(known) < KNOWN_MAX:
                known[candidate.node] = candidate

    def names(self, swarm: bytes) -> Collection[str]:
        """The nodes that were named for this swarm."""
        return self._swarms.get(swarm, {}).keys()

    def forget_swarm(self, swarm: bytes) -> None:
        """We left it. Pauses of nodes that no other swarm knows are forgotten too."""
        gone = self._swarms.pop(swarm, {})
        for node in gone:
            if not any(node in known for known in self._swarms.values()):
                self._pauses.pop(node, None)

    def due(self, swarm: bytes, now: float, taken: Collection[str]) -> tuple[Sequence[Candidate], float]:
        """Who may be dialled for this swarm now, but for those `taken`; and when the next pause ends."""
        due, next_at = [], float("inf")
        for node, candidate in self._swarms.get(swarm, {}).items():
            if node in taken or self.is_banned(node, now):
                continue
            pause = self._pauses.get(node)
            if pause is None or pause.until <= now:
                due.append(candidate)
            else:
                next_at = min(next_at, pause.until)
        return due, next_at

    def ended(self, node: str, now: float, *, well: bool) -> None:
        """A dial or the connection that came of it ended; `well` if there was a conversation by the rules."""
        pause = self._pauses.setdefault(node, _Pause(Backoff(self._rng)))
        if well:
            pause.backoff.succeeded()
        pause.until = now + max(PAUSE_S_MIN, pause.backoff.failed())

    def ban(self, node: str, now: float, reason: str) -> None:
        """Never speak to this node for an hour."""
        self.banned[node] = (now + BAN_S, reason)
        if len(self.banned) > BANNED_MAX:
            del self.banned[next(iter(self.banned))]

    def is_banned(self, node: str, now: float) -> bool:
        """Is it still?"""
        until, _ = self.banned.get(node, (0.0, ""))
        return now < until
