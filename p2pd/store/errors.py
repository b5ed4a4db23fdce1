"""What the store refuses, and what to do about it. Errors of the disk itself stay OSError."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from manifests.console import human_bytes
from p2pd.world.disk import Disk

NO_SPACE_ERRNOS: Final = (errno.ENOSPC, errno.EDQUOT)


class StoreError(Exception):
    """The store can't do this; the message is for a person."""


class NoSpaceError(StoreError):
    """The world's: free `missing_bytes` at `path` and go on; what is there is kept."""

    def __init__(self, path: str, missing_bytes: int) -> None:
        super().__init__(f"no room at {path}: free at least {human_bytes(missing_bytes)} and it goes on")
        self.path = path
        self.missing_bytes = missing_bytes


class QuotaError(NoSpaceError):
    """The owner's: raise the quota, unpin releases, or keep fewer services on this machine."""

    def __init__(self, path: str, missing_bytes: int, quota_bytes: int) -> None:
        super().__init__(path, missing_bytes)
        self.quota_bytes = quota_bytes

    def __str__(self) -> str:
        return (
            f"the quota of {human_bytes(self.quota_bytes)} is {human_bytes(self.missing_bytes)} too small: raise it, "
            "or unpin releases (what runs, may have to be gone back to or is being fetched is never deleted)"
        )


class StoreInUseError(StoreError):
    """Another process works on this directory. Stop it, or give this one a directory of its own."""


class DestinationTakenError(StoreError):
    """Something else is at the destination. It is never overwritten: remove it or choose another."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists and is not this release: remove it, or choose another place")
        self.path = path


class ArtifactElsewhereError(StoreError):
    """The same artifact is already held at another destination; `export` it from there when it is complete."""

    def __init__(self, release: str, destination: str) -> None:
        super().__init__(f"{release} is already kept at {destination}")
        self.destination = destination


class NotWritableError(StoreError):
    """Pieces are only written to an artifact that is still being staged. Ours, or it was removed meanwhile."""


@contextmanager
def no_space_as_such(disk: Disk, path: str, needed_bytes: int) -> Iterator[None]:
    """A full disk or quota within the block becomes NoSpaceError; `needed_bytes` are still to be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE_ERRNOS:
            raise
        raise no_space(disk, path, needed_bytes) from error


def no_space(disk: Disk, path: str, needed_bytes: int) -> NoSpaceError:
    """For a disk or quota that is full, where `needed_bytes` are still to be written."""
    return NoSpaceError(path, max(1, needed_bytes - disk.free_bytes(path)))
