"""Attestation without a TPM: a key in a file. It says which host this is, and nothing about what it runs.

The floors lie in a file beside it: a service's memory may get lost, but whoever replaces the disk replaces them too.
"""

import json
import os
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import key_pem, new_key, read_key
from p2pd.papers import write_private
from p2pd.wire.attestation import Evidence

from . import AttestationError
from .evidence import SOFTWARE_PREFIX

FILE_BYTES_MAX: Final = 256 * 1024
KEY, FLOORS = "key.pem", "floors.json"


class SoftwareAttestor:
    """With its files in this directory, which is made when it is needed."""

    kind = "software"

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def __repr__(self) -> str:
        return f"<SoftwareAttestor {self._directory}>"

    def key(self) -> bytes:
        """Of the file, which is made when it is not there."""
        return self._key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def registers(self) -> dict[int, bytes]:
        """There are none."""
        return {}

    def quote(self, binding: bytes, pcrs: Sequence[int]) -> Evidence:
        """AttestationError when registers are asked for."""
        if pcrs:
            raise AttestationError("a software key can't say what this machine runs: that takes a TPM (kind = 'tpm')")
        quoted = SOFTWARE_PREFIX + binding
        return Evidence(self.key(), quoted, self._key().sign(quoted, ECDSA(SHA256())))

    def floor(self, product: str) -> int | None:
        """As kept in the file."""
        return self._floors().get(product)

    def raise_floor(self, product: str, sequence: int) -> None:
        """Durable when it returns."""
        floors = self._floors()
        if floors.get(product, -1) < sequence:
            floors[product] = sequence
            self._write(FLOORS, json.dumps(floors, indent=1).encode())

    def _key(self) -> EllipticCurvePrivateKey:
        path = os.path.join(self._directory, KEY)
        try:
            if not os.path.exists(path):
                self._write(KEY, key_pem(new_key()))
            return read_key(self._read(KEY))
        except IdentityError as error:
            raise AttestationError(
                f"{path} is damaged ({error}): remove it, and let this machine join with a new token"
            ) from error

    def _floors(self) -> dict[str, int]:
        path = os.path.join(self._directory, FLOORS)
        if not os.path.exists(path):
            return {}
        try:
            found = json.loads(self._read(FLOORS))
            return {str(product): int(sequence) for product, sequence in found.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise AttestationError(
                f"{path} is damaged ({error}): nobody guesses what ran here; look, then remove it"
            ) from error

    def _read(self, name: str) -> bytes:
        try:
            with open(os.path.join(self._directory, name), "rb") as file:
                return file.read(FILE_BYTES_MAX)
        except OSError as error:
            raise AttestationError(f"{error.filename}: {error.strerror}") from error

    def _write(self, name: str, data: bytes) -> None:
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            write_private(os.path.join(self._directory, name), data)
        except OSError as error:
            raise AttestationError(f"{error.filename}: {error.strerror}") from error
