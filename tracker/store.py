"""Goals, pauses and who commanded them, on disk: one SQLite file.

What a method has returned from survives kill -9 and power loss.
Synchronous and safe to call from any thread, one at a time: the service calls it within `world.run_blocking`.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from typing import Final

import msgspec

from p2pd.wire.announce import Goal, GoalSignature, Paused

from .audit import GENESIS, Record
from .errors import StoreError
from .goals.goals import HISTORY_MAX
from .goals.pauses import Pauses

SCHEMA_VERSION: Final = 5
BUSY_TIMEOUT_S: Final = 2.0
"""How long to wait for a tracker on the same file that is just stopping."""
_SCHEMA: Final = """
CREATE TABLE goals (
    revision INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    scope TEXT NOT NULL,
    release TEXT NOT NULL,
    rollback INTEGER NOT NULL,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT NOT NULL,
    expires REAL NOT NULL,
    signatures BLOB NOT NULL,
    due REAL NOT NULL
) STRICT;
CREATE INDEX goals_by_scope ON goals (service, scope, revision);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    proven INTEGER NOT NULL,
    role TEXT NOT NULL,
    where_from TEXT NOT NULL,
    action TEXT NOT NULL,
    service TEXT NOT NULL,
    scope TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT NOT NULL,
    refused TEXT NOT NULL,
    seal BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit records stay'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit records stay'); END;
CREATE TABLE pauses (
    service TEXT NOT NULL,
    scope TEXT NOT NULL,
    revision INTEGER NOT NULL,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (service, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('revision', 0), ('upstream_seen_at', 0);
"""
_INSERT: Final = (
    "INSERT INTO goals (service, scope, release, revision, rollback, by, at, reason, expires, signatures, due) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (revision) DO UPDATE "
    "SET expires = excluded.expires, signatures = excluded.signatures WHERE excluded.expires > expires"
)
_PRUNE: Final = (
    "DELETE FROM goals WHERE service = ? AND scope = ? AND revision <= "
    "(SELECT revision FROM goals WHERE service = ? AND scope = ? ORDER BY revision DESC LIMIT 1 OFFSET ?)"
)


@dataclass(frozen=True)
class Stored:
    """What was on disk: goals with their history by revision; when the global tracker was last heard (UTC or 0); what
    is paused."""

    goals: tuple[Goal, ...]
    upstream_seen_at: float
    pauses: Pauses


class Store:
    """The file at `path`; ':memory:' keeps it in memory. Every method but `close` raises StoreError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Store {self.path} {'open' if self._connection else 'closed'}>"

    def open(self) -> Stored:
        """Open or create it. No second tracker can open it until `close`, or until this process ends."""
        with self._translated():
            directory = os.path.dirname(self.path)
            if directory:
                os.makedirs(directory, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                stored = _prepare(connection)
            except (sqlite3.Error, StoreError):
                connection.close()
                raise
            self._connection = connection
            return stored

    def append(self, goal: Goal, record: Record | None = None) -> None:
        """Keep the goal of a command, its revision as the counter's, and who gave it: all or none, durably.

        The record's number and seal are set here, from the one before it.
        """
        with self._transaction() as connection:
            self._advance(connection, goal.revision)
            _insert(connection, goal)
            if record is not None:
                _seal(connection, record)

    def pause(self, pauses: Pauses, record: Record) -> None:
        """Keep what is paused after a command, its revision as the counter's, and who gave it: all or none, durably."""
        with self._transaction() as connection:
            self._advance(connection, pauses.revision)
            _replace_pauses(connection, pauses)
            _seal(connection, record)

    def note(self, record: Record) -> None:
        """Keep the record of a command that changes nothing here."""
        with self._transaction() as connection:
            _seal(connection, record)

    def audit(self, after: int, count: int) -> list[Record]:
        """Up to so many records, from the one that follows number `after` on."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, count))
            return [Record(number, at, who, bool(proven), *rest) for number, at, who, proven, *rest in rows]

    def renew(self, goals: Sequence[Goal]) -> None:
        """Keep these goals' newer signatures."""
        with self._transaction() as connection:
            for goal in goals:
                _insert(connection, goal)

    def adopt(self, goals: Sequence[Goal], upstream_seen_at: float, pauses: Pauses | None = None) -> None:
        """Keep copies of the global tracker's goals and (if they changed) pauses, and when it was heard."""
        with self._transaction() as connection:
            for goal in goals:
                _insert(connection, goal)
            if pauses is not None:
                _replace_pauses(connection, pauses)
            newest = max((goal.revision for goal in goals), default=0)
            newest = max(newest, pauses.revision if pauses else 0)
            connection.execute("UPDATE counters SET value = max(value, ?) WHERE name = 'revision'", (newest,))
            connection.execute("UPDATE counters SET value = ? WHERE name = 'upstream_seen_at'", (upstream_seen_at,))

    def close(self) -> None:
        """Release the file. Nothing if it is closed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _advance(self, connection: sqlite3.Connection, revision: int) -> None:
        advanced = connection.execute(
            "UPDATE counters SET value = ? WHERE name = 'revision' AND value < ?", (revision, revision)
        )
        if advanced.rowcount != 1:
            raise StoreError(f"{self.path}: revision {revision} is not newer than what is stored")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StoreError(f"{self.path} is in use by another tracker") from error
            raise StoreError(f"{self.path}: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            if self._connection is None:
                raise StoreError(f"{self.path} is not open")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _prepare(connection: sqlite3.Connection) -> Stored:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    elif version != SCHEMA_VERSION:
        older = "begin with a new state directory, with revision_floor at what `p2p-tracker status` of a region says"
        then = "use a newer p2p-tracker" if version > SCHEMA_VERSION else older
        raise StoreError(f"its format is {version}, this program knows {SCHEMA_VERSION}: {then}")
    rows = connection.execute(
        "SELECT service, scope, release, revision, rollback, by, at, reason, expires, signatures, due FROM goals "
        "ORDER BY revision"
    )
    goals = tuple(_goal(*row) for row in rows)
    (seen_at,) = connection.execute("SELECT value FROM counters WHERE name = 'upstream_seen_at'").fetchone()
    (revision,) = connection.execute("SELECT value FROM counters WHERE name = 'revision'").fetchone()
    paused = connection.execute("SELECT service, scope, revision, by, at, reason FROM pauses ORDER BY revision")
    return Stored(goals, seen_at, Pauses(int(revision), tuple(Paused(*row) for row in paused)))


def _goal(
    service: str, scope: str, release: str, revision: int, rollback: int, by: str, at: float, reason: str,
    expires: float, signatures: bytes, due: float,
) -> Goal:  # fmt: skip
    signed = msgspec.msgpack.decode(signatures, type=tuple[GoalSignature, ...])
    return Goal(service, scope, release, revision, bool(rollback), by, at, reason, expires, signed, due)


def _seal(connection: sqlite3.Connection, record: Record) -> None:
    last = connection.execute("SELECT number, seal FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, seal = last or (0, GENESIS)
    sealed = replace(record, number=number + 1).sealed(seal)
    marks = ", ".join("?" * len(fields(sealed)))
    connection.execute(f"INSERT INTO audit VALUES ({marks})", astuple(sealed))


def _replace_pauses(connection: sqlite3.Connection, pauses: Pauses) -> None:
    connection.execute("DELETE FROM pauses")
    connection.executemany("INSERT INTO pauses VALUES (?, ?, ?, ?, ?, ?)", map(msgspec.structs.astuple, pauses.paused))


def _insert(connection: sqlite3.Connection, goal: Goal) -> None:
    connection.execute(
        _INSERT,
        (
            goal.service, goal.scope, goal.release, goal.revision, goal.rollback, goal.by, goal.at, goal.reason,
            goal.expires, msgspec.msgpack.encode(goal.signatures), goal.due,
        ),
    )  # fmt: skip
    scope = (goal.service, goal.scope)
    connection.execute(_PRUNE, (*scope, *scope, HISTORY_MAX))
