"""A certificate as a value, and whether it counts now. The signatures were checked before, by TLS.

A certificate counts from its first to its last moment by the clock of who looks at it. Clocks are wrong by up to a day
(`SKEW_S`), and that is survived where it gives nobody anything:

- Our authority dates a certificate back by a day, so a clock that is a day behind takes it at once. Nobody held the key
  earlier, so nothing is given away.
- A daemon's certificate counts for a day longer than it says, for it lives only a day and a clock that is ahead would
  refuse it. What a daemon may do is little (it fetches and serves what is verified anyway), and lists of revoked
  certificates keep each as long as it could count.
- A tracker's, a seeder's and an operator's end when they say. Those of trackers and seeders are renewed days before, so
  a clock that is a day ahead takes them all the same; an operator's may steer the fleet, so it is never stretched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from p2pd.wire.announce import CERTIFICATE_BYTES_MAX
from p2pd.world.network import Identity

from .errors import IdentityError
from .uri import identity_of

SKEW_S: Final = 86_400.0
BACKDATED_S: Final = SKEW_S
"""How long before its issue a certificate of our authority begins."""
CACHED_MAX: Final = 16_384
"""Certificates read once and remembered, 1 KB or two each: a host that comes back is not read again, also where all
others of its tracker come back as well."""
_STRETCHED: Final = frozenset({"daemon"})


@dataclass(frozen=True, slots=True)
class Certificate:
    """`begins_at`, `ends_at`: seconds since 1970. `issuer`: the identifier of the key that signed it."""

    identity: Identity
    serial: int
    issuer: bytes
    begins_at: float
    ends_at: float


@lru_cache(CACHED_MAX)
def read_certificate(der: bytes) -> Certificate:
    """Somebody's certificate; IdentityError when it is none of a fleet's."""
    found = load(der)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        issuer = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise IdentityError(f"it is no certificate of a fleet: {error}") from error
    begins_at, ends_at = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
    return Certificate(identity_of(uris), found.serial_number, issuer or b"", begins_at, ends_at)


@lru_cache(16)
def issuer_life(der: bytes) -> tuple[float, float]:
    """From when to when an authority's certificate counts."""
    found = load(der)
    return found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()


def load(der: bytes) -> x509.Certificate:
    """The parsed certificate; IdentityError."""
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise IdentityError(f"a certificate of {len(der)} bytes, {CERTIFICATE_BYTES_MAX} allowed")
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"it is no certificate: {error}") from error


def is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether that authority signed it."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_time(certificate: Certificate, issuers: Sequence[bytes], now: float) -> None:
    """IdentityError unless it and those above it (DER) count at `now`, civil time."""
    if now < certificate.begins_at:
        raise IdentityError(f"it is not valid for another {_span(certificate.begins_at - now)}; is a clock wrong?")
    if now > counts_until(certificate):
        raise IdentityError(f"it expired {_span(now - certificate.ends_at)} ago")
    for issuer in issuers:
        begins_at, ends_at = issuer_life(issuer)
        if not begins_at <= now <= ends_at:
            raise IdentityError("the certificate of its authority is not valid (yet, or any more)")


def counts_until(certificate: Certificate) -> float:
    """The last moment at which somebody may take it."""
    return certificate.ends_at + (SKEW_S if certificate.identity.role in _STRETCHED else 0.0)


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h"
