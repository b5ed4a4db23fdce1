"""Lets goals through to hosts that have shown what they run, and asks those that have not. Pure; told the time.

A goal of a product that demands it waits until the host has quoted its registers with a nonce of ours, less than
FRESH_S ago, by the key that its certificate names. Nothing is remembered beyond the connection.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from p2pd.attestation.evidence import RefusedEvidenceError, challenge_binding, check
from p2pd.wire.announce import TEXT_CHARS_MAX, Goal
from p2pd.wire.attestation import WITHHELD_MAX, Challenge, Evidence
from p2pd.world.network import Identity

from .demand import Demand

FRESH_S: Final = 60.0
"""For goals that come in a row one answer is enough; a TPM takes up to half a second for it."""


ANSWER_S: Final = 300.0
"""A quote says what ran at some moment since its question: an older question is not worth an answer."""


@dataclass(slots=True)
class _Visit:
    """What one connection was asked and has shown."""

    nonce: bytes = b""
    asked_at: float = 0.0
    asked: tuple[int, ...] = ()
    shown_at: float | None = None
    values: dict[int, bytes] = field(default_factory=dict)
    problem: str = ""


def _new_secret() -> bytes:
    """Dice would not do: whoever sees enough of what they show can tell what comes, and quote ahead of the question."""
    return AESGCM.generate_key(256)


class Doorkeeper:
    """`demands`: by product. `secret`: where nonces come from; called once, and only if there are demands."""

    def __init__(self, demands: Mapping[str, Demand], secret: Callable[[], bytes] = _new_secret) -> None:
        self._demands = demands
        self._secret = secret() if demands else b""
        self._numbers = count()
        self._visits: dict[int, _Visit] = {}

    def __repr__(self) -> str:
        return f"<Doorkeeper of {len(self._demands)} products, {len(self._visits)} hosts asked>"

    def lets_through(self, session: int, identity: Identity, goal: Goal, now: float) -> bool:
        """Whether this host may be told of this goal now."""
        return self._objection(session, identity, goal, now) == ""

    def question(self, session: int, identity: Identity, goals: Iterable[Goal], now: float) -> Challenge | None:
        """What to ask a host whom all these goals concern; None if all are let through. Asks for what any of them
        demands, so that one answer does for all."""
        waiting: dict[str, None] = {}
        registers: set[int] = set()
        reasons: dict[str, None] = {}
        for goal in goals:
            objection = self._objection(session, identity, goal, now)
            if objection != "":
                waiting[goal.service] = None
                reasons |= {objection: None} if objection else {}
            if (demand := self._demand(goal)) is not None:
                registers |= demand.allowed.keys()
        if not waiting:
            return None
        asked = tuple(sorted(registers)) if _kind(identity) == "tpm" else ()
        nonce = self._nonce(session, asked, now)
        return Challenge(nonce, asked, tuple(sorted(waiting))[:WITHHELD_MAX], "; ".join(reasons)[:TEXT_CHARS_MAX])

    def answer(self, session: int, identity: Identity, evidence: Evidence, now: float) -> bool:
        """A host answers: False if it was not asked. What follows, `lets_through` and `question` say."""
        visit = self._visits.get(session)
        if visit is None or not visit.nonce:
            return False
        nonce, visit.nonce = visit.nonce, b""
        visit.shown_at, visit.values, visit.problem = now, {}, ""
        try:
            if now - visit.asked_at > ANSWER_S:
                raise RefusedEvidenceError(f"it came more than {ANSWER_S:.0f} s after the question")
            binding = challenge_binding(identity.fleet, identity.node, nonce)
            visit.values = check(evidence, identity.attestation, binding, visit.asked)
        except RefusedEvidenceError as error:
            visit.problem = f"the quote is refused: {error}"
        return True

    def forget(self, session: int) -> None:
        """The connection ended."""
        self._visits.pop(session, None)

    def _demand(self, goal: Goal) -> Demand | None:
        """What this goal's release demands; None for nothing. To run nothing is everybody's right."""
        return self._demands.get(goal.release.partition("@")[0]) if goal.release else None

    def _objection(self, session: int, identity: Identity, goal: Goal, now: float) -> str | None:
        """Why this host may not have it; '' if it may, None if it has to be asked (again)."""
        demand = self._demand(goal)
        if demand is None:
            return ""
        if not identity.attestation:
            return "no attestation key joined with this host: set [attestation] there, and give it a new join token"
        visit = self._visits.get(session)
        if demand.kind == "tpm" and _kind(identity) != "tpm":
            return demand.objection(_kind(identity), {})
        if visit is None or visit.shown_at is None or now - visit.shown_at > FRESH_S:
            return None
        if visit.problem:
            return visit.problem
        return demand.objection(_kind(identity), visit.values) if demand.allowed.keys() <= visit.values.keys() else None

    def _nonce(self, session: int, asked: tuple[int, ...], now: float) -> bytes:
        """The same as long as the same question stands, and is not too old."""
        visit = self._visits.setdefault(session, _Visit())
        if not visit.nonce or asked != visit.asked or now - visit.asked_at > ANSWER_S / 2:
            number = next(self._numbers).to_bytes(8, "big")
            visit.nonce, visit.asked, visit.asked_at = hmac.digest(self._secret, number, "sha256"), asked, now
        return visit.nonce


def _kind(identity: Identity) -> str:
    return identity.attestation.partition(":")[0]
