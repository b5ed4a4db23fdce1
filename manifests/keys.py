"""Keys of people and machines: `NAME.key` (private, mode 0600) and `NAME.pub` (public, PEM).

A private key is a PEM file, encrypted unless asked otherwise; or it is not here at all, and `NAME.key` only says where:
a URI by which securesystemslib finds it (`hsm:…`, `awskms:…`, `gcpkms:…`, `azurekms:…`, `hv:…`), beside the public key.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .errors import SigningError
from .tuf_api import CryptoSigner, Key, Signer, SSlibKey

Ask = Callable[[str], str]
_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o644


class PassphraseNeededError(SigningError):
    """The private key is encrypted and no passphrase was given."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a new pair of keys is, and its TUF key id."""

    private: Path
    public: Path
    keyid: str


def new_key(name: str, directory: Path, passphrase: bytes | None = None) -> KeyPair:
    """A new Ed25519 pair in `directory`, encrypted if there is a passphrase; SigningError if a file of this name is
    there (a key is never overwritten)."""
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _write_pair(name, directory, key.private_bytes(pem, pkcs8, encryption), public)


def link_key(name: str, directory: Path, uri: str, public: bytes) -> KeyPair:
    """A pair whose private key stays where `uri` says. `public`: its public key in PEM form. SigningError."""
    parse_public(public, name)
    private = json.dumps({"uri": uri, "public": public.decode()}, indent=1).encode() + b"\n"
    return _write_pair(name, directory, private, public)


def load_signer(path: Path, passphrase: bytes | None = None, ask: Ask | None = None) -> Signer:
    """The private key of a file, ready to sign; SigningError, PassphraseNeededError.

    `ask`: for what a token wants to know when it signs (its PIN); else it is told the passphrase.
    """
    data = path.read_bytes()
    if data.startswith(b"{"):
        return _linked(path, data, ask or (lambda what: (passphrase or b"").decode()))
    encrypted = b"ENCRYPTED" in data
    if encrypted and not passphrase:
        raise PassphraseNeededError(f"{path} is encrypted: give its passphrase by file, environment or prompt")
    try:
        key: Any = serialization.load_pem_private_key(data, passphrase if encrypted else None)
        return CryptoSigner(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningError(f"{path} is no private key in PEM form, or the passphrase is wrong") from None


def load_public(path: Path) -> Key:
    """The public key of a `.pub` file; SigningError if it is none."""
    return parse_public(path.read_bytes(), str(path))


def is_public(path: Path) -> bool:
    """Whether the file holds a public key and no private one."""
    return b"PUBLIC KEY" in path.read_bytes()[:64]


def parse_public(data: bytes, name: str) -> Key:
    """The key in these bytes: Ed25519, ECDSA (P-256, P-384) or RSA in PEM form. SigningError."""
    try:
        return SSlibKey.from_crypto(serialization.load_pem_public_key(data))
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(f"{name} is no public key in PEM form of a known kind (give the .pub file)") from None


def _linked(path: Path, data: bytes, ask: Ask) -> Signer:
    try:
        link = json.loads(data)
        uri, public = str(link["uri"]), parse_public(str(link["public"]).encode(), str(path))
    except (ValueError, KeyError, TypeError):
        raise SigningError(f"{path} is no key of ours") from None
    try:
        signer = Signer.from_priv_key_uri(uri, public, ask)
    except Exception as error:  # each token and each cloud has its own
        raise SigningError(f"{path}: the key at {uri} can't be used: {error}") from error
    if not isinstance(signer, Signer):
        raise SigningError(f"{path}: {uri} leads to no key")
    return signer


def _write_pair(name: str, directory: Path, private: bytes, public: bytes) -> KeyPair:
    directory.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(directory / f"{name}.key", directory / f"{name}.pub", parse_public(public, name).keyid)
    _write(pair.private, private, _PRIVATE_MODE)
    _write(pair.public, public, _PUBLIC_MODE)
    return pair


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise SigningError(f"{path} exists; a key is never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
