"""What the authority remembers, in SQLite: tokens, certificates, revocations.

The tracker and `p2p-tracker ca` work on it at the same time, from several processes; every change is one transaction.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from p2pd.identity.certificate import SKEW_S
from p2pd.world.network import Identity
from tracker.errors import StoreError

BUSY_TIMEOUT_S: Final = 5.0
SCHEMA_VERSION: Final = 1
KEPT_S: Final = 30 * 86_400.0
"""How long what has expired can still be looked at."""
_SCHEMA: Final = """
CREATE TABLE tokens (
    id BLOB PRIMARY KEY, who TEXT NOT NULL, life_s REAL NOT NULL, uses INTEGER NOT NULL, uses_left INTEGER NOT NULL,
    made_at REAL NOT NULL, expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY, authority BLOB NOT NULL, key BLOB NOT NULL, who TEXT NOT NULL, node TEXT NOT NULL,
    life_s REAL NOT NULL, issued_at REAL NOT NULL, ends_at REAL NOT NULL, token BLOB, revoked_at REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX certificates_of_node ON certificates (node, ends_at);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('list', 0);
"""


@dataclass(frozen=True, slots=True)
class Token:
    """`id`: the public key. `identity`: whom it makes of a machine; node '' is free. Times in seconds since 1970."""

    id: bytes
    identity: Identity
    life_s: float
    uses: int
    uses_left: int
    made_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate. `authority`: identifier of the key that signed it. `key`: digest of the key that it is for.
    `token`: what it was given for, None for a renewal or by hand. `revoked_at`: None while it counts."""

    serial: int
    authority: bytes
    key: bytes
    identity: Identity
    life_s: float
    issued_at: float
    ends_at: float
    token: bytes | None = None
    revoked_at: float | None = None

    @property
    def counts_until(self) -> float:
        """The last moment at which anybody may still take it."""
        return self.ends_at + SKEW_S


class Ledger:
    """The file at `path`, made when it is not there. Every method raises StoreError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._translated():
            made = not os.path.exists(path)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            if made:
                os.chmod(path, 0o600)
            self._prepare()

    def __repr__(self) -> str:
        return f"<Ledger {self.path}>"

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    # -- tokens -------------------------------------------------------------------------------------------------

    def add_token(self, token: Token) -> None:
        """From now on this one may be used."""
        row = (token.id, _text(token.identity), token.life_s, token.uses, token.uses_left, token.made_at,
               token.expires_at)  # fmt: skip
        with self._transaction() as connection:
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def token(self, token_id: bytes) -> Token | None:
        """The token of this public key."""
        return next(iter(self._tokens("WHERE id = ?", token_id)), None)

    def tokens(self, now: float) -> list[Token]:
        """Those that can still be used."""
        return self._tokens("WHERE uses_left > 0 AND expires_at > ? ORDER BY made_at", now)

    # -- certificates -------------------------------------------------------------------------------------------

    def add(self, issued: Issued) -> bool:
        """Book a certificate, and the use of the token that it is given for; False when that has no use left."""
        row = (f"{issued.serial:x}", issued.authority, issued.key, _text(issued.identity), issued.identity.node,
               issued.life_s, issued.issued_at, issued.ends_at, issued.token, issued.revoked_at)  # fmt: skip
        with self._transaction() as connection:
            if issued.token is not None:
                used = connection.execute(
                    "UPDATE tokens SET uses_left = uses_left - 1 WHERE id = ? AND uses_left > 0", (issued.token,)
                )
                if used.rowcount != 1:
                    return False
            connection.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute("DELETE FROM certificates WHERE ends_at < ?", (issued.issued_at - KEPT_S,))
            connection.execute("DELETE FROM tokens WHERE expires_at < ?", (issued.issued_at - KEPT_S,))
        return True

    def certificate(self, serial: int) -> Issued | None:
        """The certificate of this serial number."""
        return next(iter(self._certificates("WHERE serial = ?", f"{serial:x}")), None)

    def of_node(self, node: str, now: float) -> list[Issued]:
        """A node's certificates that count at `now`, the newest first."""
        found = self._certificates("WHERE node = ? AND revoked_at IS NULL ORDER BY issued_at DESC", node)
        return [one for one in found if one.counts_until > now]

    def certificates(self, now: float, *, expired: bool = False) -> list[Issued]:
        """All that have not expired at `now`, or that are still remembered; the newest first."""
        return self._certificates("WHERE ends_at > ? ORDER BY issued_at DESC", now - (KEPT_S if expired else 0.0))

    # -- revocations --------------------------------------------------------------------------------------------

    def revoke(self, serials: list[int], now: float) -> list[Issued]:
        """Take these back; those that were not taken back before."""
        revoked = []
        with self._transaction() as connection:
            for serial in serials:
                changed = connection.execute(
                    "UPDATE certificates SET revoked_at = ? WHERE serial = ? AND revoked_at IS NULL",
                    (now, f"{serial:x}"),
                )
                if changed.rowcount:
                    revoked.append(serial)
            if revoked:
                connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'list'")
        return [found for serial in revoked if (found := self.certificate(serial)) is not None]

    def revoked(self, now: float) -> list[Issued]:
        """Those taken back that would count at `now` otherwise."""
        found = self._certificates("WHERE revoked_at IS NOT NULL ORDER BY serial")
        return [one for one in found if one.counts_until > now]

    def list_number(self) -> int:
        """Goes up with every revocation; 0 while there was none."""
        with self._translated():
            (value,) = self._connection.execute("SELECT value FROM counters WHERE name = 'list'").fetchone()
        return int(value)

    # -- the file -----------------------------------------------------------------------------------------------

    def _tokens(self, where: str, *values: object) -> list[Token]:
        with self._translated():
            rows = self._connection.execute(f"SELECT * FROM tokens {where}", values).fetchall()
        return [Token(row[0], _identity(row[1]), *row[2:]) for row in rows]

    def _certificates(self, where: str, *values: object) -> list[Issued]:
        with self._translated():
            rows = self._connection.execute(f"SELECT * FROM certificates {where}", values).fetchall()
        return [Issued(int(row[0], 16), row[1], row[2], _identity(row[3]), *row[5:]) for row in rows]

    def _prepare(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(f"{self.path}: its format is {version}, this program knows {SCHEMA_VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _text(identity: Identity) -> str:
    who = [identity.fleet, identity.role, identity.region, identity.node, list(identity.products)]
    return json.dumps([*who, identity.attestation] if identity.attestation else who)


def _identity(text: str) -> Identity:
    fleet, role, region, node, products, *more = json.loads(text)
    found = Identity(node, region, role, fleet=fleet, attestation=more[0] if more else "")
    return replace(found, products=tuple(products))
