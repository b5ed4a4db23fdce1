"""Directories that a power cut does not take back."""

import os

from .disk import Disk


def make_durable_directories(disk: Disk, path: str) -> None:
    """Like `make_directories`, and each new name is durable in its parent."""
    made = []
    at = path
    while disk.stat(at) is None and at != os.path.dirname(at):
        made.append(at)
        at = os.path.dirname(at)
    disk.make_directories(path)
    for directory in reversed(made):
        disk.sync(os.path.dirname(directory))
