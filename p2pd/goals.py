"""What signatures a goal needs, and who judges by them whether to believe it. Pure.

A tracker is a director: online, and so the first to fall. What it may do with its key is to choose, for a few days at a
time, among releases that both parties approve and that are not older than what runs. Going back needs the key of an
operator, which no tracker has. A goal names its fleet, its scope and its revision within what is signed, so one that was
overheard elsewhere or earlier says nothing here and now.
"""

from typing import Final

import msgspec

from manifests.authority import Authority
from manifests.tuf_api import Signer

from .wire.announce import GLOBAL, Goal, GoalSignature

LIFE_MAX_S: Final = 30 * 86_400.0
"""No key's word lasts longer, whatever it says itself."""
DIRECTOR_LIFE_S: Final = 7 * 86_400.0
"""So long a region without its global tracker can still tell new hosts what to run."""
_MAGIC: Final = "p2p-goal-1"


class RefusedGoalError(Exception):
    """The goal does not count here; the message says why. The tracker's fault, or that of whoever stands before it."""


def signed_bytes(fleet: str, goal: Goal) -> bytes:
    """What is signed: all of the goal but the signatures, and the fleet that it is for."""
    said = (goal.service, goal.scope, goal.release, goal.revision, goal.rollback, goal.by, goal.at, goal.reason)
    return msgspec.msgpack.encode([_MAGIC, fleet, *said, goal.expires])


def sign(fleet: str, goal: Goal, signer: Signer) -> Goal:
    """The goal with one more signature. It must have its date of expiry already."""
    signature = signer.sign(signed_bytes(fleet, goal))
    added = GoalSignature(signature.keyid, bytes.fromhex(signature.signature))
    kept = tuple(one for one in goal.signatures if one.key != added.key)
    return msgspec.structs.replace(goal, signatures=(*kept, added))


def judge(goal: Goal, authority: Authority | None, *, fleet: str, region: str, utc: float) -> frozenset[str]:
    """The ids of the keys that vouch for the goal; RefusedGoalError if it does not count here and now.

    Without an `authority` goals are not signed in this fleet, and only the scope is looked at.
    """
    if goal.scope not in (GLOBAL, region):
        raise RefusedGoalError(f"goal {goal.revision} is for {goal.scope}, this is {region}")
    if authority is None:
        return frozenset()
    if not goal.signatures:
        raise RefusedGoalError(f"goal {goal.revision} is not signed, and this fleet has a director")
    if goal.expires <= utc:
        raise RefusedGoalError(f"goal {goal.revision} has expired: the director must sign it anew")
    if goal.expires > utc + LIFE_MAX_S:
        raise RefusedGoalError(f"goal {goal.revision} lives longer than a goal may, or this machine's clock is wrong")
    data = signed_bytes(fleet, goal)
    signatures = {one.key: one.signature for one in goal.signatures}
    vouching = authority.operators.vouching(data, signatures)
    if not vouching and not goal.rollback:
        vouching = authority.director.vouching(data, signatures)
    if not vouching:
        whom = "an operator, who alone may order a rollback" if goal.rollback else "the director or an operator"
        raise RefusedGoalError(f"goal {goal.revision} is not signed by {whom}")
    return vouching
