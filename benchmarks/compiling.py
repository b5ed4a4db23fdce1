"""Compiles for a benchmark what its engine of the simulator runs, if that can be done."""

import sys


def can_be_compiled(engine: str) -> bool:
    """Compile, or say why not."""
    from sim.errors import CompileError
    from sim.native import GROUPS, found
    from sim.native.building import build

    group = GROUPS[engine]
    try:
        if found(group) is None:
            print(f"compiling the engine {engine} first; this takes a minute or two", file=sys.stderr, flush=True)
        build(group)
    except CompileError as error:
        print(f"interpreted only: {error}", file=sys.stderr, flush=True)
        return False
    return True
