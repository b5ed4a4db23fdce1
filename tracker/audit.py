"""Who commanded what, and what was refused to whom: a chain of records, each sealed with the digest of the one before.

Whoever can write the file can also write it anew from some record on. So keep a digest elsewhere now and then (`audit
verify` prints the last one): a chain that no longer holds it was changed or cut short since.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgpack

GENESIS: Final = bytes(32)
"""What the first record is sealed with."""


@dataclass(frozen=True, slots=True)
class Record:
    """One command. `at`: UTC. `proven`: `who` is from a certificate, not only said; `role`: what that says they are.
    `where`: the address that it came from. `before`, `after`: what it changed. `refused`: why it was not carried out
    (then `after` is what it would have made it), '' if it was. `seal`: 32 bytes, empty until sealed."""

    number: int
    at: float
    who: str
    proven: bool
    role: str
    where: str
    action: str
    service: str
    scope: str
    before: str
    after: str
    reason: str
    refused: str = ""
    seal: bytes = b""

    def sealed(self, previous: bytes) -> "Record":
        """With the digest of the record before it and of all that it says."""
        said = [value for name, value in asdict(self).items() if name != "seal"]
        return replace(self, seal=hashlib.sha256(previous + msgpack.packb(said)).digest())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at a whole chain found. `wrong` is '' when nothing is; `last` is the seal of the last record."""

    records: int
    last: str
    wrong: str = ""


def verify(records: Iterable[Record], anchor: str = "") -> Verdict:
    """Is every record as it was sealed, none missing? `anchor`: a seal noted earlier, in hex, that must be there."""
    count, seal, met = 0, GENESIS, not anchor
    for record in records:
        if record.number != count + 1:
            return Verdict(count, seal.hex(), f"record {count + 1} is missing: the next is number {record.number}")
        if record.sealed(seal).seal != record.seal:
            return Verdict(count, seal.hex(), f"record {record.number} is not as it was sealed")
        count, seal = record.number, record.seal
        met = met or seal.hex() == anchor.lower()
    wrong = "" if met else f"no record has the seal {anchor}: the chain was written anew, or cut short"
    return Verdict(count, seal.hex(), wrong)


def to_document(record: Record) -> dict[str, Any]:
    """As a plain value, its seal in hex."""
    return asdict(record) | {"seal": record.seal.hex()}


def from_document(document: dict[str, Any]) -> Record:
    """What `to_document` gave; ValueError for anything else."""
    try:
        return Record(**document | {"seal": bytes.fromhex(document["seal"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no audit record: {error}") from error
