"""Whether evidence proves what it says: the tracker's and the authority's side of it. Pure; needs no TPM."""

import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from p2pd.wire.attestation import Evidence

from .structure import MalformedQuoteError, read_quote

SOFTWARE_PREFIX: Final = b"p2p-attest-software-1\0"
"""What a software key signs begins with this, and so can't be taken for what a TPM made."""


class RefusedEvidenceError(Exception):
    """It proves nothing; the message says why."""


def key_name(kind: str, key: bytes) -> str:
    """How an attestation key is named in a certificate: `tpm:` or `software:`, and its digest in hex."""
    return f"{kind}:{hashlib.sha256(key).hexdigest()}"


def challenge_binding(fleet: str, node: str, nonce: bytes) -> bytes:
    """What a quote for a tracker is bound to: this host's answer to this question, and to no other."""
    return _digest(b"p2p-attest-1", fleet.encode(), node.encode(), nonce)


def enrolment_binding(request: bytes) -> bytes:
    """What a quote is bound to by which an attestation key joins: the request for the certificate that will name it."""
    return _digest(b"p2p-enrol-1", request)


def check(evidence: Evidence, name: str, binding: bytes, pcrs: Sequence[int]) -> dict[int, bytes]:
    """What the registers held, as the key of this name says; RefusedEvidenceError if that is not proven."""
    kind = name.partition(":")[0]
    if key_name(kind, evidence.key) != name:
        raise RefusedEvidenceError("it is by another attestation key than the one that this host joined with")
    _check_signature(evidence)
    if kind == "software":
        if evidence.quoted != SOFTWARE_PREFIX + binding:
            raise RefusedEvidenceError("it answers another question")
        return {}
    try:
        quoted = read_quote(evidence.quoted)
    except MalformedQuoteError as error:
        raise RefusedEvidenceError(f"what the key signed is no quote: {error}") from error
    if quoted.binding != binding:
        raise RefusedEvidenceError("it answers another question")
    if quoted.pcrs != tuple(sorted(set(pcrs))) or len(evidence.pcrs) != len(quoted.pcrs):
        raise RefusedEvidenceError(f"it is about registers {list(quoted.pcrs)}, asked for were {sorted(set(pcrs))}")
    if quoted.pcrs and hashlib.sha256(b"".join(evidence.pcrs)).digest() != quoted.digest:
        raise RefusedEvidenceError("the registers do not hold what it says they do")
    return dict(zip(quoted.pcrs, evidence.pcrs, strict=True))


def _check_signature(evidence: Evidence) -> None:
    try:
        key = load_der_public_key(evidence.key)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise RefusedEvidenceError("attestation keys are of P-256 here")
        key.verify(evidence.signature, evidence.quoted, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise RefusedEvidenceError("it is not signed by its key") from error


def _digest(*parts: bytes) -> bytes:
    sized = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(sized).digest()
