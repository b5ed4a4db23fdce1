"""What a tracker asks of a host before it offers certain releases, and what it answers: what it runs, with a proof.

A `Challenge` is answered by a `Quote`; goals that were withheld follow, or another `Challenge`, which says why not.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .fields import Name, Text, TrackerMessage

NONCE_BYTES: Final = 32
PCRS_MAX: Final = 24
"""Platform configuration registers of a TPM 2.0 on a PC."""
PCR_BYTES: Final = 32
"""Of the SHA-256 bank, which every TPM 2.0 on a PC has."""
ATTESTATION_KEY_BYTES_MAX: Final = 256
"""A public key of P-256 takes 91."""
QUOTED_BYTES_MAX: Final = 1_024
"""What a TPM signs takes some 150 bytes; it depends on no more than the number of banks."""
WITHHELD_MAX: Final = 64
"""Services named in one challenge."""


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """`key`: the attestation key, DER. `quoted`: what it signed, a TPMS_ATTEST or what stands for one. `signature`:
    ECDSA with SHA-256, DER. `pcrs`: the values of the registers that were asked for, in ascending order."""

    key: Annotated[bytes, Meta(max_length=ATTESTATION_KEY_BYTES_MAX)]
    quoted: Annotated[bytes, Meta(max_length=QUOTED_BYTES_MAX)]
    signature: Annotated[bytes, Meta(max_length=ATTESTATION_KEY_BYTES_MAX)]
    pcrs: Annotated[
        tuple[Annotated[bytes, Meta(min_length=PCR_BYTES, max_length=PCR_BYTES)], ...], Meta(max_length=PCRS_MAX)
    ] = ()


class Challenge(TrackerMessage, frozen=True, tag="attest?"):
    """Goals of these services wait until you have shown what you run: quote these registers with this nonce.

    `reason`: why your last answer did not do; then there is no hurry with the next one.
    """

    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    pcrs: Annotated[tuple[Annotated[int, Meta(ge=0, lt=PCRS_MAX)], ...], Meta(max_length=PCRS_MAX)]
    services: Annotated[tuple[Name, ...], Meta(max_length=WITHHELD_MAX)]
    reason: Text = ""


class Quote(TrackerMessage, frozen=True, tag="attest"):
    """The answer to the newest challenge."""

    evidence: Evidence
