"""The small durable record of one artifact: what it is named, where it is going, and how far it came."""

from dataclasses import dataclass
from typing import Final

import msgspec

from p2pd.world.disk import Disk

RECORD_BYTES_MAX: Final = 64 * 1024
"""Two paths of at most 4 KiB, escaped."""

STAGED: Final = "staged"
"""Pieces are being written below `staging`."""
FINISHING: Final = "finishing"
"""All is durable below `staging`; the rename to `destination` may have happened."""
FINISHED: Final = "finished"
"""At `destination`."""
REMOVING_STAGED: Final = "removing staged"
"""Whatever is left of it below `staging` is to go."""
REMOVING_FINISHED: Final = "removing finished"
"""Whatever is left of it at `destination` is to go."""
STATES: Final = (STAGED, FINISHING, FINISHED, REMOVING_STAGED, REMOVING_FINISHED)


class DamagedRecordError(Exception):
    """Not a record of ours."""


@dataclass(frozen=True)
class Record:
    """`payload` is what is renamed to `destination` in the end: the staged tree itself, or the one file in it. What is
    written `in_place` is never staged, renamed or deleted: the file or device belongs to somebody else.

    `release` is for people who look into the file.
    """

    release: str
    destination: str
    staging: str
    payload: str
    state: str
    in_place: bool = False

    def save(self, disk: Disk, path: str) -> None:
        """Atomically and durably."""
        disk.replace(path, msgspec.json.encode(self) + b"\n")


def load(disk: Disk, path: str) -> Record:
    """The record at `path`; DamagedRecordError if it is none."""
    try:
        record = msgspec.json.decode(disk.read_all(path, RECORD_BYTES_MAX), type=Record)
    except msgspec.MsgspecError as error:
        raise DamagedRecordError(f"{path}: {error}") from error
    if record.state not in STATES:
        raise DamagedRecordError(f"{path}: unknown state {record.state!r}")
    return record
