"""One door to numba, so that types survive the decorator and everybody compiles in the same way.

Only an entry, what Python calls, is given a way in from Python and a place on disk. For parts both would cost more
than they themselves: a way in takes apart forty arrays, once a function.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from .shelf import KernelCache, shelf

F = TypeVar("F", bound=Callable[..., Any])


_njit: Any = numba.njit
"""`_nrt=False` compiles without reference counts: 15 times faster here, and allocation in a kernel is refused."""


_kept: Any = KernelCache


def compiled(function: F) -> F:
    """An entry: compiled on its first call with all its parts; the machine code is kept on disk (`shelf.py`)."""
    dispatcher = _njit(nogil=True, _nrt=False)(function)
    if shelf() is not None:
        dispatcher._cache = _kept(function)
    return cast(F, dispatcher)


def inner(function: F) -> F:
    """Called by compiled functions only."""
    return cast(F, _njit(nogil=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))


def inlined(function: F) -> F:
    """As `inner`, and merged into its callers: for small functions in hot loops."""
    options = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, _njit(nogil=True, _nrt=False, **options)(function))
