"""Certificates that do not count any more, as their authority's signed lists (X.509 CRLs) say.

A list travels as PEM: the authority's own certificate, those between it and the root, and the list. Whoever carries it
can't forge or shorten it, and an older one than is known changes nothing; whoever withholds it is outlived, since
certificates are short-lived.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from p2pd.wire.announce import CHAIN_MAX, REVOCATION_LIST_BYTES_MAX

from .certificate import is_signed_by
from .errors import IdentityError

AUTHORITIES_MAX: Final = 64
"""Whose lists are kept."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One authority's. `authority`: the identifier of its key."""

    authority: bytes
    number: int
    serials: frozenset[int]
    pem: bytes


class Revocations:
    """All lists of authorities under these roots (parsed certificates)."""

    def __init__(self, roots: Iterable[x509.Certificate]) -> None:
        self._roots = tuple(roots)
        self._lists: dict[bytes, RevocationList] = {}

    def __repr__(self) -> str:
        return f"<Revocations {[(one.number, len(one.serials)) for one in self._lists.values()]}>"

    def take(self, pem: bytes) -> bool:
        """Keep a list; False if it is not newer than the one that is known. IdentityError when it is not genuine."""
        found = read_list(pem, self._roots)
        known = self._lists.get(found.authority)
        if known is not None and known.number >= found.number:
            return False
        if known is None and len(self._lists) >= AUTHORITIES_MAX:
            raise IdentityError(f"lists of more than {AUTHORITIES_MAX} authorities")
        self._lists[found.authority] = found
        return True

    def is_revoked(self, authority: bytes, serial: int) -> bool:
        """Whether the certificate with this serial number, signed by the key with this identifier, was taken back."""
        found = self._lists.get(authority)
        return found is not None and serial in found.serials

    def lists(self) -> tuple[bytes, ...]:
        """What is known, to be kept or told."""
        return tuple(found.pem for found in self._lists.values())


def read_list(pem: bytes, roots: Iterable[x509.Certificate]) -> RevocationList:
    """A list that an authority under one of the roots signed; IdentityError."""
    if len(pem) > REVOCATION_LIST_BYTES_MAX:
        raise IdentityError(f"a revocation list of {len(pem)} bytes, {REVOCATION_LIST_BYTES_MAX} allowed")
    try:
        signer, *above = x509.load_pem_x509_certificates(pem)
        listed = x509.load_pem_x509_crl(pem)
        key = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
        number = listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        public = signer.public_key()
        if not _is_under(signer, above, roots):
            raise IdentityError("the revocation list is of an authority that is not our fleet's")
        if (
            not isinstance(public, EllipticCurvePublicKey | RSAPublicKey)
            or not usage.crl_sign
            or not listed.is_signature_valid(public)
        ):
            raise IdentityError("the revocation list was not signed by the authority that it names")
        return RevocationList(key, number, frozenset(entry.serial_number for entry in listed), pem)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise IdentityError(f"it is no revocation list: {error}") from error


def _is_under(signer: x509.Certificate, above: list[x509.Certificate], roots: Iterable[x509.Certificate]) -> bool:
    """Whether these are authorities, each vouched for by the next, and the last by a root."""
    chain = [signer, *above]
    if len(chain) > CHAIN_MAX or not all(map(_is_authority, chain)):
        return False
    linked = all(is_signed_by(lower, upper) for lower, upper in pairwise(chain))
    return linked and any(is_signed_by(chain[-1], root) for root in roots)


def _is_authority(certificate: x509.Certificate) -> bool:
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    return usage.key_cert_sign and certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
