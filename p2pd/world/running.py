"""Running trio for a command: what ends it reaches the command line as one exception."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar, TypeVarTuple

import trio

T = TypeVar("T")
Args = TypeVarTuple("Args")


def run_trio(function: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
    """The result of an async function. Nurseries wrap what ends them in groups: when all that a group holds is of one
    kind, its first exception is raised instead, for a person wants one line and not sixteen equal ones."""
    try:
        return trio.run(function, *args)
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        if len({type(error) for error in errors}) > 1:
            raise
        raise errors[0] from None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
