"""Keys of the parties: Ed25519 in PEM files, `NAME.key` (mode 0600, optionally encrypted) and `NAME.pub`."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import SigningError
from .tuf_api import CryptoSigner, Key, SSlibKey

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
    """A new pair in `directory`; SigningError if a file of this name is there (a key is never overwritten)."""
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    public = key.public_key()
    public_pem = public.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    directory.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(directory / f"{name}.key", directory / f"{name}.pub", SSlibKey.from_crypto(public).keyid)
    _write(pair.private, key.private_bytes(pem, pkcs8, encryption), _PRIVATE_MODE)
    _write(pair.public, public_pem, _PUBLIC_MODE)
    return pair


def load_signer(path: Path, passphrase: bytes | None = None) -> CryptoSigner:
    """The private key of a file, ready to sign; SigningError, PassphraseNeededError."""
    data = path.read_bytes()
    encrypted = b"ENCRYPTED" in data
    if encrypted and not passphrase:
        raise PassphraseNeededError(f"{path} is encrypted: give its passphrase by file, environment or prompt")
    try:
        key = serialization.load_pem_private_key(data, passphrase if encrypted else None)
    except (ValueError, TypeError):
        raise SigningError(f"{path} is no private key in PEM form, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path} is not an Ed25519 key")
    return CryptoSigner(key)


def load_public(path: Path) -> Key:
    """The public key of a `.pub` file; SigningError if it is none."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except ValueError:
        raise SigningError(f"{path} is no public key in PEM form (give the .pub file)") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(f"{path} is not an Ed25519 key")
    return SSlibKey.from_crypto(key)


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise SigningError(f"{path} exists; a key is never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
