"""Whoever lies in a quote is told why it proves nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p2pd.attestation.evidence import SOFTWARE_PREFIX, RefusedEvidenceError, challenge_binding, check, key_name
from p2pd.attestation.structure import MalformedQuoteError, read_quote
from p2pd.attestation.tpm import TpmAttestor
from p2pd.wire.attestation import Evidence

BINDING = bytes(range(32))
PCRS = (0, 7)


@pytest.fixture
def honest(tpm: TpmAttestor) -> Evidence:
    return tpm.quote(BINDING, PCRS)


def by_software(quoted: bytes) -> Evidence:
    """Signed by a key outside of any TPM."""
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Evidence(public, quoted, key.sign(quoted, ECDSA(SHA256())))


def flipped(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    "lie, reason",
    [
        (lambda one: {"signature": flipped(one.signature)}, "not signed by its key"),
        (lambda one: {"quoted": flipped(one.quoted)}, "not signed by its key"),
        (lambda one: {"pcrs": (one.pcrs[0], bytes([1]) * 32)}, "do not hold what it says"),
        (lambda one: {"pcrs": one.pcrs[::-1][:1]}, "asked for were"),
        (lambda one: {"key": flipped(one.key)}, "another attestation key"),
    ],
    ids=["signature", "quote", "value", "too few values", "key"],
)
def test_a_lie_is_found(honest: Evidence, lie: Callable[[Evidence], dict[str, Any]], reason: str) -> None:
    with pytest.raises(RefusedEvidenceError, match=reason):
        check(msgspec.structs.replace(honest, **lie(honest)), key_name("tpm", honest.key), BINDING, PCRS)


def test_a_quote_over_other_registers_does_not_do(honest: Evidence) -> None:
    with pytest.raises(RefusedEvidenceError, match=r"registers \[0, 7\]"):
        check(honest, key_name("tpm", honest.key), BINDING, (0, 4, 7))


def test_what_a_software_key_signs_is_no_quote_of_a_tpm() -> None:
    evidence = by_software(SOFTWARE_PREFIX + BINDING)
    with pytest.raises(RefusedEvidenceError, match="no TPM made it"):
        check(evidence, key_name("tpm", evidence.key), BINDING, ())


def test_an_answer_is_for_one_host_of_one_fleet() -> None:
    answers = {challenge_binding(fleet, node, BINDING) for fleet in ("a", "ab") for node in ("b", "bb")}
    assert len(answers) == 4


def test_a_key_of_another_kind_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    evidence = Evidence(public, SOFTWARE_PREFIX + BINDING, key.sign(SOFTWARE_PREFIX + BINDING))
    with pytest.raises(RefusedEvidenceError, match="P-256"):
        check(evidence, key_name("software", public), BINDING, ())


def test_a_quote_cut_short_or_made_longer_is_none(honest: Evidence) -> None:
    for end in range(len(honest.quoted)):
        with pytest.raises(MalformedQuoteError):
            read_quote(honest.quoted[:end])
    with pytest.raises(MalformedQuoteError, match="are a quote"):
        read_quote(honest.quoted + b"\0")
