"""Where machine code is kept between runs: in the user's own cache, by what it was made from.

numba's own place is `__pycache__`, where a fresh checkout finds nothing; and it asks for the source of the one file
that a function stands in, so a change in what is merged into that function would go unnoticed. Here the name of the
folder is a digest of all sources that kernels are made from, so checkouts of the same code share it, and any change
leads elsewhere. (numba itself tells processors and its own versions apart.) Where that folder would not be ours alone,
each process compiles anew.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from numba.core.caching import CacheImpl, CompileResultCacheImpl, FunctionCache, _CacheLocator

from sim import kept

SOURCES: Final = ("facts.py", "scale/*.py", "cohort/*.py")
"""All that kernels are made from, in the package."""


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
    if not (kept.private_folder(base) and kept.private_folder(shelf)):
        return None
    kept.forget_oldest(base, but=digest)
    return shelf


@cache
def shelf() -> Path | None:
    """For this user and these sources."""
    base = kept.cache("p2p-sim")
    return shelf_of(base, sources_digest()) if base is not None else None


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
