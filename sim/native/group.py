"""What is compiled, and the folder that it belongs in."""

import hashlib
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
"""Where our packages are."""
COMPILED: Final = ("p2pd/policy/*.py", "p2pd/swarm/*.py", "p2pd/wire/bits.py", "sim/quick/*.py")
READ: Final = ("p2pd/__init__.py", "p2pd/wire/*.py", "sim/__init__.py")
"""Whose types and constants the compiler sees besides, and builds in. All else is without types to it, and so can't
make what it made stale."""
LIBRARY: Final = "p2p_brains__mypyc"
"""The module that all of them are in; the others only point there."""
CACHE: Final = "p2p-sim-brains"
SUFFIX: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))
"""Names Python's version and ABI and the machine."""


def _files(patterns: Iterable[str], root: Path) -> list[str]:
    found = (path for pattern in patterns for path in sorted(root.glob(pattern)))
    return list(dict.fromkeys(path.relative_to(root).as_posix() for path in found))


def compiled_files(root: Path = ROOT) -> list[str]:
    """In order. What only passes names on (`__init__.py`) stays as it is."""
    return [name for name in _files(COMPILED, root) if not name.endswith("__init__.py")]


def all_files(root: Path = ROOT) -> list[str]:
    """All that the compiler sees of ours."""
    return _files((*COMPILED, *READ), root)


def module_of(name: str) -> str:
    """As a file is imported."""
    return name.removesuffix(".py").replace("/", ".")


def digest(root: Path = ROOT) -> str:
    """Of all that the machine code depends on: those sources, this Python, and mypy, of which the compiler is part."""
    found = hashlib.sha256(f"{sys.version} {SUFFIX} {_mypy()}\n".encode())
    for name in all_files(root):
        data = (root / name).read_bytes()
        found.update(f"{name} {len(data)}\n".encode() + data)
    return found.hexdigest()[:24]


def _mypy() -> str:
    try:
        return version("mypy")
    except PackageNotFoundError:
        return "none"
