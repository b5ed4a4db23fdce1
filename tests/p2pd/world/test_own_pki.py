"""Certificates that a site's own PKI made, by other means than ours: other keys, other depths, names beside ours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from p2pd.world.credentials import Credentials, IdentityFiles
from p2pd.world.tls_network import TlsNetwork

from .test_tls_network import connection, refused

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PEM = Encoding.PEM
KEYS: dict[str, Callable[[], Any]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@dataclass
class Authority:
    """One of the site's own."""

    key: Any
    certificate: x509.Certificate

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject


def name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Site"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


class Pki:
    """A root, and below it so many intermediates; the last one issues. In `folder`: what members are given."""

    def __init__(self, folder: Path, kind: str, intermediates: int) -> None:
        self.folder, self._new_key = folder, KEYS[kind]
        self.serials: dict[str, int] = {}
        folder.mkdir()
        self.chain = [self._authority("root", None)]
        for number in range(intermediates):
            self.chain.append(self._authority(f"level {number}", self.chain[-1]))
        self._write("root.pem", self.chain[0].certificate.public_bytes(PEM))

    def member(self, node: str, role: str = "daemon", *more: x509.GeneralName) -> TlsNetwork:
        """With a certificate that says so, beside names of its own."""
        key, issuer = ec.generate_private_key(ec.SECP256R1()), self.chain[-1]
        names = [*more, x509.UniformResourceIdentifier(f"p2p://fleet/{role}/eu/{node}")]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = (
            self._builder(name(node), issuer, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(issuer.key, SHA256())
        )
        above = [one.certificate for one in reversed(self.chain[1:])]
        self._write(f"{node}.pem", b"".join(one.public_bytes(PEM) for one in (made, *above)))
        self._write(f"{node}.key", key.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.serials[node] = made.serial_number
        paths = [str(self.folder / file) for file in ("root.pem", f"{node}.pem", f"{node}.key", "revoked.pem")]
        return TlsNetwork(Credentials(IdentityFiles(*paths)), NOW.timestamp)

    def revoke(self, node: str) -> bytes:
        """The issuing authority's certificate, those above it, and its list."""
        issuer = self.chain[-1]
        entry = x509.RevokedCertificateBuilder().serial_number(self.serials[node]).revocation_date(NOW).build()
        listed = (
            x509.CertificateRevocationListBuilder().issuer_name(issuer.name).last_update(NOW).next_update(NOW + 7 * DAY)
            .add_extension(x509.CRLNumber(1), critical=False).add_revoked_certificate(entry).sign(issuer.key, SHA256())
        )  # fmt: skip
        chain = [one.certificate for one in reversed(self.chain[1:])] or [issuer.certificate]
        return b"".join(one.public_bytes(PEM) for one in chain) + listed.public_bytes(PEM)

    def impostor(self) -> Authority:
        """A member that may sign lists and gives itself out for the issuer, but is no authority."""
        key, issuer = self._new_key(), self.chain[-1]
        issuers = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        made = (
            self._builder(issuer.name, issuer, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**_usage("crl_sign")), critical=True)
            .add_extension(issuers, critical=False)
        )
        return Authority(key, made.sign(issuer.key, SHA384()))

    def _authority(self, text: str, above: Authority | None) -> Authority:
        key = self._new_key()
        made = (
            self._builder(name(text), above, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**_usage("key_cert_sign", "crl_sign")), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return Authority(key, made.sign(above.key if above else key, SHA384()))

    def _builder(self, subject: x509.Name, above: Authority | None, key: Any) -> x509.CertificateBuilder:
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(above.name if above else subject)
            .public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY).not_valid_after(NOW + 365 * DAY)
        )  # fmt: skip
        signer: Any = above.certificate.public_key() if above else key
        return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)

    def _write(self, file: str, data: bytes) -> None:
        (self.folder / file).write_bytes(data)


def _usage(*allowed: str) -> dict[str, bool]:
    fields = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return {field: field in allowed for field in fields}


@pytest.fixture(params=[("rsa", 0), ("rsa", 1), ("p384", 2)], ids=lambda kind: f"{kind[0]} with {kind[1]} between")
def pki(request: pytest.FixtureRequest, tmp_path: Path) -> Pki:
    kind, intermediates = request.param
    return Pki(tmp_path / "pki", kind, intermediates)


async def test_members_of_a_site_s_own_pki_meet(pki: Pki) -> None:
    other = x509.DNSName("host-2.example.org")
    async with connection(pki.member("host-1"), pki.member("host-2", "seeder", other)) as (here, there):
        assert (here.identity.node, here.identity.role) == ("host-2", "seeder")
        assert (there.identity.node, there.identity.role) == ("host-1", "daemon")


async def test_another_site_s_members_are_refused(pki: Pki, tmp_path: Path) -> None:
    here, there = await refused(pki.member("host-1"), Pki(tmp_path / "other", "p384", 0).member("host-2"))
    assert here
    assert there


async def test_what_a_site_s_own_list_names_is_refused(pki: Pki) -> None:
    one, two = pki.member("host-1"), pki.member("host-2")
    two.revoke([pki.revoke("host-1")])
    _, there = await refused(one, two)
    assert "host-1 was revoked" in there


async def test_a_member_s_certificate_signs_no_list(pki: Pki) -> None:
    """Not even one that is allowed to sign lists and bears its issuer's name and number: it is no authority."""
    one, two = pki.member("host-1"), pki.member("host-2")
    pki.chain.append(pki.impostor())
    two.revoke([pki.revoke("host-1")])
    async with connection(one, two) as (_, there):
        assert there.identity.node == "host-1"
