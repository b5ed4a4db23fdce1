"""Where machine code is kept between runs: in the user's own cache, by what it was made from.

numba's own place is `__pycache__`, where a fresh checkout finds nothing; and it asks for the source of the one file
that a function stands in, so a change in what is merged into that function would go unnoticed. Here the name of the
folder is a digest of all sources that kernels are made from, so checkouts of the same code share it, and any change
leads elsewhere. (numba itself tells processors and its own versions apart.) What is kept is run when it is loaded, so
a folder that anybody else owns or may write to is not used: then each process compiles anew.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from numba.core.caching import CacheImpl, CompileResultCacheImpl, FunctionCache, _CacheLocator

SOURCES: Final = ("facts.py", "scale/*.py", "cohort/*.py")
"""All that kernels are made from, in the package."""
KEPT_MAX: Final = 8
"""Folders of other versions of the sources: the oldest go first."""
PRIVATE: Final = 0o700
OTHERS_MAY_WRITE: Final = 0o022


@cache
def sources_digest() -> str:
    """Of the package's sources that kernels are made from."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in package.glob(pattern)):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(package)} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:16]


def shelf_of(base: Path, digest: str) -> Path | None:
    """The folder for this digest, made if need be; None where it would not be safe or can't be written."""
    shelf = base / digest
    try:
        shelf.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        for folder in (base, shelf):
            found = folder.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & OTHERS_MAY_WRITE or folder.is_symlink():
                return None
    except OSError:
        return None
    others = sorted((other for other in base.iterdir() if other != shelf), key=_age)
    for other in others[:-KEPT_MAX]:
        shutil.rmtree(other, ignore_errors=True)
    return shelf


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


@cache
def shelf() -> Path | None:
    """For this user and these sources."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return shelf_of(Path(base) / "p2p-sim", sources_digest()) if os.path.isabs(base) else None


class Locator(_CacheLocator):
    """Tells numba the place."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        place = shelf()
        assert place is not None, "asked for a place that there is not"
        self._place, self._line = place / Path(py_file).parent.name, py_func.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self._place)

    def get_source_stamp(self) -> str:
        """What must be the same for what is kept to be used."""
        return sources_digest()

    def get_disambiguator(self) -> str:
        """Tells functions of one name apart."""
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "Locator | None":
        """None where the place can't be written after all."""
        locator: Any = cls(py_func, py_file)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return cast("Locator", locator)


_places: Any = [Locator, *CacheImpl._locator_classes]


class _Impl(CompileResultCacheImpl):
    _locator_classes = _places


class KernelCache(FunctionCache):
    """numba's cache of one function, in our place."""

    _impl_class = _Impl
