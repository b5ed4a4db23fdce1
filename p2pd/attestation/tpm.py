"""Attestation by a TPM 2.0, through tpm2-pytss.

The attestation key is a primary key of the owner's hierarchy: made anew from the TPM's own seed whenever it is needed,
the same each time, and kept nowhere. It is restricted: it signs nothing but what the TPM itself says.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from p2pd.wire.attestation import PCRS_MAX, Evidence

from . import AttestationError
from .config import AttestationConfig
from .tpm_counters import floor, raise_floor
from .tpm_session import tpm_session

if TYPE_CHECKING:
    from tpm2_pytss import ESAPI

PURPOSE: Final = b"p2pd attestation key"
"""In the key's template, so that it is nobody else's."""
REGISTERS_AT_ONCE: Final = 8
"""A TPM tells no more values in one answer."""


class TpmAttestor:
    """Of this machine's TPM. Nothing is kept outside of it."""

    kind = "tpm"

    def __init__(self, config: AttestationConfig) -> None:
        self._config = config

    def __repr__(self) -> str:
        return f"<TpmAttestor {self._config.tcti}>"

    def key(self) -> bytes:
        """As the TPM makes it from its seed: another one once the TPM was cleared."""
        with tpm_session(self._config) as esapi:
            handle, public = _attestation_key(esapi)
            esapi.flush_context(handle)
            return public

    def registers(self) -> dict[int, bytes]:
        """Of the SHA-256 bank."""
        with tpm_session(self._config) as esapi:
            return _registers(esapi, range(PCRS_MAX))

    def quote(self, binding: bytes, pcrs: Sequence[int]) -> Evidence:
        """Values and quote of one moment: AttestationError when a register changed between the two."""
        with tpm_session(self._config) as esapi:
            before = _registers(esapi, pcrs)
            handle, public = _attestation_key(esapi)
            quoted, signed = esapi.quote(handle, _selection(pcrs), binding)
            esapi.flush_context(handle)
            if _registers(esapi, pcrs) != before:
                raise AttestationError("registers changed while they were quoted: it is tried again")
        ecdsa = signed.signature.ecdsa
        r, s = (int.from_bytes(bytes(part), "big") for part in (ecdsa.signatureR, ecdsa.signatureS))
        values = tuple(before[number] for number in sorted(before))
        return Evidence(public, bytes(quoted), encode_dss_signature(r, s), values)

    def floor(self, product: str) -> int | None:
        """As its counter says."""
        with tpm_session(self._config) as esapi:
            return floor(esapi, self._config.nv_base, product)

    def raise_floor(self, product: str, sequence: int) -> None:
        """Count up to it."""
        with tpm_session(self._config) as esapi:
            raise_floor(esapi, self._config.nv_base, product, sequence)


def _attestation_key(esapi: "ESAPI") -> tuple[Any, bytes]:
    """Its handle, to be flushed, and its public half, DER."""
    from tpm2_pytss import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TPMA_OBJECT, TPMT_PUBLIC

    attributes = (
        TPMA_OBJECT.RESTRICTED
        | TPMA_OBJECT.SIGN_ENCRYPT
        | TPMA_OBJECT.FIXEDTPM
        | TPMA_OBJECT.FIXEDPARENT
        | TPMA_OBJECT.SENSITIVEDATAORIGIN
        | TPMA_OBJECT.USERWITHAUTH
    )
    template = TPMT_PUBLIC.parse("ecc256:ecdsa-sha256:null", objectAttributes=attributes)
    template.unique.ecc.x = PURPOSE
    handle, public, *_ = esapi.create_primary(TPM2B_SENSITIVE_CREATE(), TPM2B_PUBLIC(publicArea=template))
    key = load_pem_public_key(public.to_pem())
    return handle, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _registers(esapi: "ESAPI", pcrs: Sequence[int]) -> dict[int, bytes]:
    """Values by number."""
    found: dict[int, bytes] = {}
    wanted = sorted(set(pcrs))
    for start in range(0, len(wanted), REGISTERS_AT_ONCE):
        part = wanted[start : start + REGISTERS_AT_ONCE]
        _, _, values = esapi.pcr_read(_selection(part))
        if len(values) != len(part):
            raise AttestationError("this TPM keeps no SHA-256 registers: enable that bank in the firmware")
        found |= {number: bytes(value) for number, value in zip(part, values, strict=True)}
    return found


def _selection(pcrs: Sequence[int]) -> Any:
    from tpm2_pytss import TPML_PCR_SELECTION

    numbers = ",".join(str(number) for number in sorted(set(pcrs)))
    return TPML_PCR_SELECTION.parse(f"sha256:{numbers}") if numbers else TPML_PCR_SELECTION()
