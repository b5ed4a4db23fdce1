"""One path of a release."""

from dataclasses import dataclass
from typing import Final

FILE: Final = "file"
DIRECTORY: Final = "directory"
SYMLINK: Final = "symlink"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a release. `path` is relative, with `/`. `mode`: permission bits. `target`: of a symlink."""

    path: str
    kind: str
    mode: int = 0o644
    mtime_ns: int = 0
    size: int = 0
    target: str = ""
