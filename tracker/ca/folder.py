"""Where the authority's files lie: made by `p2p-tracker ca init`, read by the tracker and by the other commands.

root.pem       what every member pins
root.key       needed by `ca renew` only: keep it elsewhere
issuer.pem     keys with their certificates: the first signs members, the others vouch for what they signed
ca.sqlite      tokens, certificates, revocations
"""

import os
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import chain_pem, der, key_pem, read_chain, read_key, read_keys
from p2pd.papers import write_private

from .authority import Signer, new_issuer, new_root

ROOT, ROOT_KEY, ISSUER, LEDGER, FLEET = "root.pem", "root.key", "issuer.pem", "ca.sqlite", "fleet"
ISSUERS_MAX: Final = 8


@dataclass(frozen=True)
class Folder:
    """What is in it. `issuers`: the first one signs; those after it signed what may still count."""

    path: str
    fleet: str
    root: x509.Certificate
    issuers: tuple[Signer, ...]

    @property
    def issuer(self) -> Signer:
        """The one that signs."""
        return self.issuers[0]

    @property
    def ledger_path(self) -> str:
        """Of the ledger."""
        return os.path.join(self.path, LEDGER)


def make(path: str, fleet: str, now: float) -> Folder:
    """A new authority; FileExistsError when there is one already. OSError."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    if os.path.exists(os.path.join(path, ROOT)):
        raise FileExistsError(f"{path} holds an authority already; it stays as it is")
    root = new_root(fleet, now)
    issuer = new_issuer(fleet, root, now)
    write_private(os.path.join(path, FLEET), fleet.encode(), mode=0o644)
    write_private(os.path.join(path, ROOT_KEY), key_pem(root.key))
    _write_issuers(path, [issuer])
    write_private(os.path.join(path, ROOT), chain_pem([der(root.certificate)]), mode=0o644)
    return load(path)


def load(path: str) -> Folder:
    """The authority there; IdentityError or OSError when there is none."""
    if not os.path.exists(os.path.join(path, ROOT)):
        raise IdentityError(f"{path} holds no authority; `p2p-tracker ca init {path}` makes one")
    (root, *_), certificates = _certificates(path, ROOT), _certificates(path, ISSUER)
    keys = read_keys(_read(path, ISSUER))
    if [key.public_key() for key in keys] != [one.public_key() for one in certificates]:
        raise IdentityError(f"{path}: the keys and the certificates in {ISSUER} do not fit")
    return Folder(path, _read(path, FLEET).decode(), root, tuple(map(Signer, certificates, keys)))


def renew(path: str, root_key: str, now: float) -> Folder:
    """A new issuing authority, signed with the root's key from this file; the former one still vouches for what it
    signed. IdentityError, OSError."""
    folder = load(path)
    with open(root_key, "rb") as file:
        root = Signer(folder.root, read_key(file.read()))
    if root.key.public_key() != root.certificate.public_key():
        raise IdentityError(f"{root_key} is not the key of this fleet's root")
    former = [issuer for issuer in folder.issuers if issuer.ends_at > now]
    issuers = [new_issuer(folder.fleet, root, now), *former][:ISSUERS_MAX]
    _write_issuers(path, issuers)
    return load(path)


def _write_issuers(path: str, issuers: list[Signer]) -> None:
    pairs = (key_pem(issuer.key) + chain_pem([der(issuer.certificate)]) for issuer in issuers)
    write_private(os.path.join(path, ISSUER), b"".join(pairs))


def _certificates(path: str, name: str) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(one) for one in read_chain(_read(path, name))]


def _read(path: str, name: str) -> bytes:
    with open(os.path.join(path, name), "rb") as file:
        return file.read()
