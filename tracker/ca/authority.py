"""What the authority signs: its own certificates, those of members, and revocation lists. Pure; told the time.

A root that can be kept offline signs issuing authorities; an issuing authority signs members. Everything is P-256.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from p2pd.identity.certificate import BACKDATED_S
from p2pd.identity.keys import new_key
from p2pd.identity.uri import uri_of
from p2pd.wire.announce import GRADES
from p2pd.world.network import Identity

DAY_S: Final = 86_400.0
ROOT_LIFE_S: Final = 20 * 365 * DAY_S
ISSUER_LIFE_S: Final = 2 * 365 * DAY_S
LIST_LIFE_S: Final = 7 * DAY_S
"""Of a revocation list, for those who insist on a fresh one (we don't: certificates are short-lived)."""
_CLIENTS_ONLY: Final = frozenset(GRADES)
"""Nobody dials these."""


@dataclass(frozen=True)
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"<Signer {self.certificate.subject.rfc4514_string()}>"

    @property
    def key_id(self) -> bytes:
        """The identifier of the key, as it stands in what it signs."""
        return x509.SubjectKeyIdentifier.from_public_key(self.certificate.public_key()).digest

    @property
    def ends_at(self) -> float:
        """When its certificate expires, seconds since 1970."""
        return self.certificate.not_valid_after_utc.timestamp()


def new_root(fleet: str, now: float) -> Signer:
    """The fleet's root."""
    key, name = new_key(), _name(fleet, "root")
    builder = _builder(name, name, key.public_key(), now, now + ROOT_LIFE_S, x509.random_serial_number())
    return Signer(_authority(builder, key.public_key(), path_length=1).sign(key, SHA256()), key)


def new_issuer(fleet: str, root: Signer, now: float) -> Signer:
    """An issuing authority under the root."""
    key, ends_at = new_key(), min(now + ISSUER_LIFE_S, root.ends_at)
    subject, serial = _name(fleet, "issuing"), x509.random_serial_number()
    builder = _builder(subject, root.certificate.subject, key.public_key(), now, ends_at, serial)
    builder = builder.add_extension(_signed_by(root), critical=False)
    return Signer(_authority(builder, key.public_key(), path_length=0).sign(root.key, SHA256()), key)


def new_serial() -> int:
    """A serial number that nobody can guess."""
    return x509.random_serial_number()


def member_certificate(
    issuer: Signer, identity: Identity, key: EllipticCurvePublicKey, serial: int, now: float, life_s: float
) -> bytes:
    """A member's certificate, DER: from a day ago until `life_s` from now, or as long as the issuer's own."""
    builder = _builder(x509.Name([]), issuer.certificate.subject, key, now, min(now + life_s, issuer.ends_at), serial)
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if identity.role not in _CLIENTS_ONLY:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri_of(identity))])
    builder = (
        builder.add_extension(names, critical=True)  # critical, as RFC 5280 wants it where there is no subject
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(_signed_by(issuer), critical=False)
    )
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def revocation_list(issuer: Signer, entries: Iterable[tuple[int, float]], number: int, now: float) -> bytes:
    """The list of these serial numbers, each with the moment of its revocation: the issuer's certificate and the list,
    PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(_moment(now - BACKDATED_S))
        .next_update(_moment(now + LIST_LIFE_S))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_signed_by(issuer), critical=False)
    )
    for serial, revoked_at in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_moment(revoked_at)).build()
        builder = builder.add_revoked_certificate(entry)
    signed = builder.sign(issuer.key, SHA256())
    return issuer.certificate.public_bytes(Encoding.PEM) + signed.public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey, now: float, ends_at: float, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(_moment(now - BACKDATED_S))
        .not_valid_after(_moment(ends_at))
    )


def _authority(
    builder: x509.CertificateBuilder, key: EllipticCurvePublicKey, *, path_length: int
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, digital_signature: bool = False, authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _signed_by(signer: Signer) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.certificate.public_key())  # type: ignore[arg-type]


def _name(fleet: str, what: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"p2p fleet {fleet[:40]} {what}")])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
