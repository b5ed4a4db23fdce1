"""The seam by which a machine proves what it runs, and remembers what it ran, and its two members.

`software`: a key in a file, which proves that this is the host that joined, and nothing about what it runs. `tpm`: a
TPM 2.0, whose key never leaves it, whose registers say what was started, and whose counters nobody can set back.
"""

from collections.abc import Sequence
from typing import Protocol

from p2pd.wire.attestation import Evidence


class AttestationError(OSError):
    """This machine can't prove, or remember, anything just now; the message says what to do about it."""


class Attestor(Protocol):
    """One machine's. Every method blocks, and may raise AttestationError."""

    kind: str
    """`software` or `tpm`."""

    def key(self) -> bytes:
        """The public half of the attestation key, DER; the same each time."""
        ...

    def registers(self) -> dict[int, bytes]:
        """What each register holds now; none where there are no registers."""
        ...

    def quote(self, binding: bytes, pcrs: Sequence[int]) -> Evidence:
        """Proof that this machine's registers hold what they hold, bound to these 32 bytes."""
        ...

    def floor(self, product: str) -> int | None:
        """The highest sequence of this product's releases that proved itself here; None while none did."""
        ...

    def raise_floor(self, product: str, sequence: int) -> None:
        """From now on `floor` is at least this."""
        ...
