"""Our papers and whose we take: certificate, key, the fleet's root and the lists of what was revoked, from files.

The files may change while we run (a renewal, the site's own PKI): `look` reads them again when they did.
"""

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from p2pd.identity.certificate import Certificate, check_time, read_certificate
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import PEM_BYTES_MAX, read_chain
from p2pd.identity.revocation import AUTHORITIES_MAX, Revocations
from p2pd.wire.announce import REVOCATION_LIST_BYTES_MAX

from . import sealed
from .tls_pump import TlsPump

NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which the module ssl has no name for: we look at the dates ourselves, by the World's clock
and with the patience that `p2pd.identity.certificate` allows."""
TICKETS: Final = 1
"""Sent to each who dials, to come back more cheaply."""


@dataclass(frozen=True)
class IdentityFiles:
    """Paths. `root`: whom we trust, one or more. `certificate`: ours and those above it ('': we are a stranger, who may
    ask for one). `key`: may be the same file. `revoked`: lists of what does not count any more ('': none are kept)."""

    root: str
    certificate: str = ""
    key: str = ""
    revoked: str = ""


class Credentials:
    """What is in the files. IdentityError when they don't make an identity, OSError when they can't be read.

    `own`: our certificate, None as a stranger. `fleet`: whose members we take ('': that of our certificate). `server`,
    `strangers` and `client`: contexts for those who dial us, with a certificate or perhaps without, and for those whom
    we dial; new ones after each change. Blocks, briefly.
    """

    def __init__(self, files: IdentityFiles, fleet: str = "") -> None:
        self.files, self.fleet = files, fleet
        self._seen = self._stamps()
        self._load()
        self.revocations = Revocations(self._roots)
        self._read_lists()

    def __repr__(self) -> str:
        return f"<Credentials of {self.own.identity.role} {self.own.identity.node}>" if self.own else "<Credentials>"

    def look(self) -> bool:
        """Read the files again if they changed; True if so. What can't be used now changes nothing (IdentityError,
        OSError say why): half of a change may be on disk."""
        seen = self._stamps()
        if seen == self._seen:
            return False
        self._load()
        self._seen = seen
        lists, self.revocations = self.revocations.lists(), Revocations(self._roots)
        self.take(lists)
        self._read_lists()
        return True

    def take(self, lists: Iterable[bytes]) -> bool:
        """Revocation lists that somebody told us; True if one is news. What is not genuine is left aside."""
        news = False
        for pem in lists:
            try:
                news |= self.revocations.take(pem)
            except IdentityError:
                continue  # whoever told it may be lying, and it was not about us
        return news

    def prove(self, pump: TlsPump, now: float) -> Certificate | None:
        """Whose certificate the other end showed in its handshake, None if it showed none; IdentityError unless it
        counts at `now`, civil time."""
        if not (der := pump.peer_certificate):
            return None
        certificate = read_certificate(der)
        check_time(certificate, pump.peer_issuers, now)
        self.check(certificate)
        return certificate

    def check(self, certificate: Certificate) -> None:
        """IdentityError when it is of another fleet, or was revoked."""
        if certificate.identity.fleet != self.fleet:
            raise IdentityError(f"it is of fleet {certificate.identity.fleet!r}, not {self.fleet!r}")
        if self.revocations.is_revoked(certificate.issuer, certificate.serial):
            raise IdentityError(f"the certificate of {certificate.identity.node} was revoked")

    def _load(self) -> None:
        files = self.files
        self.own: Certificate | None = None
        self.chain: list[bytes] = []
        """Ours and those above it, DER."""
        if files.certificate:
            self.chain = read_chain(_read(files.certificate, PEM_BYTES_MAX))
            self.own = read_certificate(self.chain[0])
            self.fleet = self.fleet or self.own.identity.fleet
        self._roots = [x509.load_der_x509_certificate(one) for one in read_chain(_read(files.root, PEM_BYTES_MAX))]
        self.client = make_context(files.root, server=False)
        self.server = make_context(files.root, server=True)
        self.strangers = make_context(files.root, server=True)
        self.strangers.verify_mode = ssl.CERT_OPTIONAL
        for context in (self.client, self.server, self.strangers) if files.certificate else ():
            try:
                context.load_cert_chain(files.certificate, files.key)
            except ssl.SSLError as error:
                raise IdentityError(f"{files.certificate} and {files.key} do not fit: {error.reason}") from error

    def _read_lists(self) -> None:
        if self.files.revoked and os.path.exists(self.files.revoked):
            self.take(split_lists(_read(self.files.revoked, AUTHORITIES_MAX * REVOCATION_LIST_BYTES_MAX)))

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        files = self.files
        return [_stamp(path) for path in (files.certificate, files.key, files.root, files.revoked) if path]


def make_context(root: str, *, server: bool) -> ssl.SSLContext:
    """TLS 1.3 only, both sides with certificates under the root; whose certificate it is is seen to afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # peers are dialled by address: the certificate's URI says who they are
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    try:
        context.load_verify_locations(root)
    except ssl.SSLError as error:
        raise IdentityError(f"{root} holds no root certificate") from error
    context.set_alpn_protocols([sealed.PROTOCOL])
    if server:
        context.num_tickets = TICKETS
    return context


def split_lists(text: bytes) -> list[bytes]:
    """The revocation lists of a file, each with the certificate before it."""
    end = b"-----END X509 CRL-----\n"
    return [part + end for part in text.split(end)[:-1]]


def _read(path: str, bytes_max: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise IdentityError(f"{path} has more than {bytes_max} bytes")
    return data


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
