"""This machine's papers on disk: its key and certificate in one file, so that both change at once; and the root.

identity.pem    our key, our certificate, and those above it; for nobody else to read
root.pem        the fleet's root, pinned
revoked.pem     what does not count any more, as far as we were told
pending.key     the key of a certificate that was asked for and has not come yet
token.id        which token these papers came by: another one means to join anew
"""

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from p2pd.identity.config import IdentityConfig
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import chain_pem, key_pem, new_key, read_key
from p2pd.identity.token import JoinToken, read_token
from p2pd.world.credentials import IdentityFiles

IDENTITY, ROOT, REVOKED, PENDING, TOKEN = "identity.pem", "root.pem", "revoked.pem", "pending.key", "token.id"
FILE_BYTES_MAX: Final = 64 * 1024


class Papers:
    """In the directory of this configuration. Every method blocks, and may raise OSError or IdentityError."""

    def __init__(self, config: IdentityConfig, state_directory: str) -> None:
        self._config = config
        self.directory = config.directory or os.path.join(state_directory, "identity")

    def __repr__(self) -> str:
        return f"<Papers {self._config.certificate or self.directory}>"

    @property
    def own_pki(self) -> bool:
        """The site issues and renews; we only read."""
        return self._config.own_pki

    @property
    def there(self) -> bool:
        """There is a certificate."""
        return os.path.exists(self.files.certificate)

    @property
    def files(self) -> IdentityFiles:
        """Where they are, or will be."""
        config = self._config
        if config.own_pki:
            return IdentityFiles(config.root, config.certificate, config.key, config.revoked)
        identity = self._path(IDENTITY)
        return IdentityFiles(self._path(ROOT), identity, identity, self._path(REVOKED))

    @property
    def stranger_files(self) -> IdentityFiles:
        """The root alone."""
        return IdentityFiles(self.files.root)

    def token(self) -> JoinToken | None:
        """What this machine was given to join with, if it was given anything that it has not joined with yet."""
        path = self._config.token_file
        if not path or (self.there and not os.path.exists(path)):
            return None
        try:
            token = read_token(_read(path).decode(errors="replace"))
        except IdentityError:
            if self.there:
                return None  # what is left of a token does no harm
            raise
        known = self._path(TOKEN)
        return None if self.there and os.path.exists(known) and _read(known) == token.id else token

    def pin(self, root: bytes) -> None:
        """From now on this root (DER) is whom we trust; IdentityError if another one was pinned before."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        pem = chain_pem([root])
        if os.path.exists(self.files.root):
            if _read(self.files.root) != pem:
                raise IdentityError(f"{self.files.root} is another fleet's root: if that is meant, move it away first")
        else:
            write_private(self.files.root, pem, mode=0o644)

    def pending_key(self) -> EllipticCurvePrivateKey:
        """The key that a certificate is wanted for: the same until it has come, for an answer may get lost."""
        path = self._path(PENDING)
        if os.path.exists(path):
            try:
                return read_key(_read(path))
            except IdentityError:
                pass  # cut short by a crash: nobody has seen it
        key = new_key()
        write_private(path, key_pem(key))
        return key

    def key(self) -> EllipticCurvePrivateKey:
        """The present one."""
        return read_key(_read(self.files.key))

    def keep(self, key: EllipticCurvePrivateKey, chain: list[bytes], token: JoinToken | None = None) -> None:
        """This is who we are now, by this token if by any."""
        write_private(self.files.certificate, key_pem(key) + chain_pem(chain))
        _remove(self._path(PENDING))
        if token is not None:
            write_private(self._path(TOKEN), token.id)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)


def write_papers(directory: str, identity: bytes, root: bytes) -> None:
    """Papers made elsewhere, in place of others. Blocks; OSError."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    write_private(os.path.join(directory, ROOT), root, mode=0o644)
    write_private(os.path.join(directory, IDENTITY), identity)


def write_private(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """All of it or nothing, durably, and never readable for others on the way. Blocks; OSError."""
    beside = f"{path}.new"
    _remove(beside)  # one that was left by a crash may have another mode
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(FILE_BYTES_MAX)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
