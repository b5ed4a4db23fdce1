"""What stands in a repository: who may sign what, until when, and what waits for signatures."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .blobs import BlobStore
from .desk import Desk, delegated
from .errors import UntrustedReleaseError
from .tuf_api import Root, Snapshot, Targets, Timestamp

_ONLINE = (Snapshot.type, Timestamp.type)
"""A machine renews these before they grow old."""


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role. `version`: the newest that verifies (0: none); `shown`: what clients see (None: they see none, or the
    role is not listed anywhere). `expires`: of the newest; None if there is none. `releases`: how many it names."""

    role: str
    version: int
    shown: int | None
    expires: datetime | None
    keys: tuple[str, ...]
    threshold: int
    releases: int | None = None


@dataclass(frozen=True, slots=True)
class RepositoryStatus:
    """`warnings`: what a person should do something about. `drafts`: roles that wait for signatures."""

    roles: tuple[RoleStatus, ...]
    drafts: tuple[str, ...]
    warnings: tuple[str, ...]


class StatusDesk(Desk):
    """Looks, and changes nothing."""

    def status(self, warn: timedelta) -> RepositoryStatus:
        """Warns of what expires within this time."""
        root = self._root().signed
        top = self._shelf.newest(Targets.type, root, Targets)
        shown = self._promoted(root)
        rows = [RoleStatus(Root.type, root.version, None, root.expires, *_keys(root.roles[Root.type]))]
        rows += self._online_rows(root)
        rows.append(self._row(Targets.type, root.roles[Targets.type], top, shown))
        for name, role in sorted(delegated(top.signed).items()) if top else ():
            rows.append(self._row(name, role, self._shelf.newest(name, top.signed, Targets) if top else None, shown))
        drafts = tuple(self._shelf.drafts())
        return RepositoryStatus(tuple(rows), drafts, tuple(self._warnings(rows, drafts, warn)))

    def _online_rows(self, root: Root) -> list[RoleStatus]:
        last, stamp = self._shelf.newest(Snapshot.type, root, Snapshot), self._shelf.timestamp()
        return [
            RoleStatus(
                Snapshot.type,
                last.signed.version if last else 0,
                stamp.snapshot_meta.version if stamp else None,
                last.signed.expires if last else None,
                *_keys(root.roles[Snapshot.type]),
            ),
            RoleStatus(
                Timestamp.type,
                stamp.version if stamp else 0,
                None,
                stamp.expires if stamp else None,
                *_keys(root.roles[Timestamp.type]),
            ),
        ]

    def _row(self, name: str, role: Any, found: Any, shown: dict[str, int]) -> RoleStatus:
        version, expires = (found.signed.version, found.signed.expires) if found else (0, None)
        releases = len(found.signed.targets) if found and name != Targets.type else None
        return RoleStatus(name, version, shown.get(name), expires, *_keys(role), releases)

    def _warnings(self, rows: list[RoleStatus], drafts: tuple[str, ...], warn: timedelta) -> list[str]:
        found = [f"a draft of {role} waits for signatures" for role in drafts]
        for row in rows:
            if row.expires is not None and row.expires <= self._now:
                found.append(f"{row.role} has expired")
            elif row.expires is not None and row.expires <= self._now + warn and row.role not in _ONLINE:
                found.append(f"{row.role} expires at {row.expires:%Y-%m-%d}")
            if row.shown is not None and row.version > row.shown:
                found.append(f"{row.role} {row.version} is not promoted yet (clients see {row.shown})")
            if row.shown is not None and row.version < row.shown:
                what = "promote" if row.role in _ONLINE else "its holders must renew it"
                found.append(f"{row.role} {row.shown}, which clients see, no longer verifies: {what}")
        return found


def repository_status(store: BlobStore, now: datetime, root: bytes | None, warn: timedelta) -> RepositoryStatus:
    """Of this store; UntrustedReleaseError when its root is not what is pinned, SigningError when there is none."""
    desk = StatusDesk(store, now, root=root)
    try:
        return desk.status(warn)
    except UntrustedReleaseError as error:
        raise UntrustedReleaseError(f"this repository is not the one that is pinned: {error}") from error


def _keys(role: Any) -> tuple[tuple[str, ...], int]:
    return tuple(role.keyids), role.threshold
