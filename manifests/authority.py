"""Who may say what should run, by the fleet's own metadata: the director, and operators. Pure.

The top-level targets role delegates `goals/*` to `director`, the online key of the tracker, and to `operators`, the
keys of people. Nobody signs targets there: the two delegations only carry the keys, so that they are rotated, revoked
and pinned like all others, and a machine learns of it as it learns of everything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError

from .tuf_api import DelegatedRole, Key, Signature, Targets

DIRECTOR: Final = "director"
OPERATORS: Final = "operators"
GOAL_PATHS: Final = ("goals/*",)


@dataclass(frozen=True)
class Signers:
    """Some keys, by id, of which `threshold` different ones must sign."""

    keys: Mapping[str, Key]
    threshold: int = 1

    def vouching(self, data: bytes, signatures: Mapping[str, bytes]) -> frozenset[str]:
        """The ids of those whose signature on `data` is right; nobody's, if they are too few."""
        found: dict[str, str] = {}
        for keyid, signature in signatures.items():
            key = self.keys.get(keyid)
            if key is not None and _is_right(key, data, signature):
                found[str(key.keyval)] = keyid  # one key under two ids is one key
        return frozenset(found.values()) if len(found) >= self.threshold else frozenset()


@dataclass(frozen=True)
class Authority:
    """Who may set goals in this fleet. `operators` without keys: nobody can order a rollback."""

    director: Signers
    operators: Signers


def find_authority(top: Targets) -> Authority | None:
    """What the verified top-level targets say; None when they name no director: then goals are not signed."""
    roles = (top.delegations.roles if top.delegations else None) or {}
    if DIRECTOR not in roles:
        return None
    return Authority(_signers(top, roles[DIRECTOR]), _signers(top, roles.get(OPERATORS)))


def _signers(top: Targets, role: DelegatedRole | None) -> Signers:
    keys = top.delegations.keys if top.delegations else {}
    if role is None:
        return Signers({})
    return Signers({keyid: keys[keyid] for keyid in role.keyids if keyid in keys}, role.threshold)


def _is_right(key: Key, data: bytes, signature: bytes) -> bool:
    try:
        key.verify_signature(Signature(key.keyid, signature.hex()), data)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True
