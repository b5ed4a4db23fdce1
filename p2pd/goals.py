"""What signatures a goal needs, and who judges by them whether to believe it. Pure.

A tracker is a director: online, and so the first to fall. What it may do with its key is to choose, for a few days at
a time, among releases that both parties approve and that are not older than what runs. Going back needs the key of an
operator, which no tracker has. A goal names its fleet, its scope and its revision within what is signed, so one that
was overheard elsewhere or earlier says nothing here and now.
"""

from typing import Final

import msgspec

from manifests.authority import Authority
from manifests.errors import SigningError
from manifests.tuf_api import Signer

from .wire.announce import GLOBAL, Goal, GoalSignature

LIFE_MAX_S: Final = 30 * 86_400.0
"""No signature of a director lasts longer, whatever it says itself."""


class RefusedGoalError(Exception):
    """The goal does not count here; the message says why. The tracker's fault, or that of whoever stands before it."""


def sign_as_director(fleet: str, goal: Goal, signer: Signer, expires: float) -> Goal:
    """The goal, vouched for until `expires` (UTC in seconds); operators' signatures stay. SigningError."""
    goal = msgspec.structs.replace(goal, expires=expires)
    return _with_signature(goal, signer, director_bytes(fleet, goal))


def sign_as_operator(fleet: str, goal: Goal, signer: Signer) -> Goal:
    """The goal with an operator's signature: it may go back. SigningError."""
    return _with_signature(goal, signer, operator_bytes(fleet, goal))


def judge(goal: Goal, authority: Authority | None, *, fleet: str, region: str, utc: float) -> frozenset[str]:
    """The ids of the director's keys that vouch for the goal; RefusedGoalError if it does not count here and now.

    Without an `authority` goals are not signed in this fleet, and only the scope is looked at.
    """
    what = f"goal {goal.revision} of {goal.service}"
    if goal.scope not in (GLOBAL, region):
        raise RefusedGoalError(f"{what} is for {goal.scope}, this is {region}")
    if authority is None:
        return frozenset()
    signatures = {one.key: one.signature for one in goal.signatures}
    vouching = authority.director.vouching(director_bytes(fleet, goal), signatures)
    if not vouching:
        raise RefusedGoalError(f"{what} is not signed by this fleet's director")
    if goal.expires <= utc:
        raise RefusedGoalError(f"{what} has expired: the director must sign it anew, or this machine's clock is wrong")
    if goal.expires > utc + LIFE_MAX_S:
        raise RefusedGoalError(f"{what} lasts longer than a goal may, or this machine's clock is wrong")
    if goal.rollback and not authority.operators.vouching(operator_bytes(fleet, goal), signatures):
        raise RefusedGoalError(f"{what} orders a rollback without an operator's signature")
    return vouching


def director_bytes(fleet: str, goal: Goal) -> bytes:
    """What a director signs: all of the goal but signatures, and the fleet that it is for."""
    return msgspec.msgpack.encode(["p2p-goal-1", *_said(fleet, goal), goal.expires])


def operator_bytes(fleet: str, goal: Goal) -> bytes:
    """What an operator signs: the same without the expiry, which the director renews. The revision binds it: it can't
    be played again after a later goal."""
    return msgspec.msgpack.encode(["p2p-order-1", *_said(fleet, goal)])


def _said(fleet: str, goal: Goal) -> tuple[object, ...]:
    return (
        fleet, goal.service, goal.scope, goal.release, goal.revision, goal.rollback, goal.by, goal.at, goal.reason,
        goal.due,
    )  # fmt: skip


def _with_signature(goal: Goal, signer: Signer, data: bytes) -> Goal:
    try:
        made = signer.sign(data)
    except Exception as error:  # each token and each cloud has its own
        raise SigningError(f"the key does not sign: {error}") from error
    kept = tuple(one for one in goal.signatures if one.key != made.keyid)
    return msgspec.structs.replace(goal, signatures=(*kept, GoalSignature(made.keyid, bytes.fromhex(made.signature))))
