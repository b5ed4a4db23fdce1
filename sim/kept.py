"""A folder of machine code in the user's own cache. What lies there is run when it is loaded, so one that anybody else
owns or may write to is not used."""

import os
import shutil
from pathlib import Path
from stat import S_ISDIR
from typing import Final

KEPT_MAX: Final = 8
"""Folders of other versions of the sources: the oldest go first."""
PRIVATE: Final = 0o700
OTHERS_MAY_WRITE: Final = 0o022


def cache(name: str) -> Path | None:
    """Where folders of that kind are; None without a home."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / name if os.path.isabs(base) else None


def is_private(folder: Path) -> bool:
    """It is there, and nobody else can change what is in it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & OTHERS_MAY_WRITE and S_ISDIR(found.st_mode)


def private_folder(folder: Path) -> bool:
    """Make it if need be; False where it would not be safe or can't be written."""
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except OSError:
        return False
    return is_private(folder)


def forget_oldest(base: Path, but: str) -> None:
    """All but the youngest few, and the folder of that name."""
    others = sorted((other for other in base.iterdir() if other.name != but), key=_age)
    for other in others[:-KEPT_MAX]:
        shutil.rmtree(other, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
