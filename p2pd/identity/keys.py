"""Keys and certificates as PEM, the form in which they lie on disk."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .errors import IdentityError

PEM_BYTES_MAX: Final = 64 * 1024
"""A key and a chain take 3 KiB; a site's bundle of roots may take more."""


def new_key() -> EllipticCurvePrivateKey:
    """A new P-256 key."""
    return generate_private_key(SECP256R1())


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    """To be kept where nobody else may read it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(pem: bytes) -> EllipticCurvePrivateKey:
    """The P-256 key in a file that may hold certificates as well; IdentityError."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"no private key can be read there: {error}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise IdentityError("the private key there is none on an elliptic curve")
    return key


def read_keys(pem: bytes) -> list[EllipticCurvePrivateKey]:
    """All P-256 keys of a file, in their order; IdentityError."""
    end = b"-----END PRIVATE KEY-----"
    return [read_key(part + end) for part in pem.split(end)[:-1]]


def read_chain(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file, DER, in their order; IdentityError when there is none."""
    try:
        return [der(found) for found in x509.load_pem_x509_certificates(pem)]
    except ValueError as error:
        raise IdentityError(f"no certificate can be read there: {error}") from error


def chain_pem(chain: list[bytes]) -> bytes:
    """Certificates (DER) as PEM."""
    return b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in chain)


def der(certificate: x509.Certificate) -> bytes:
    """The certificate's bytes."""
    return certificate.public_bytes(Encoding.DER)
