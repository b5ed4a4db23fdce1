"""What is compiled together, and the folder that it belongs in."""

import hashlib
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
"""Where our packages are."""
SUFFIX: Final = str(sysconfig.get_config_var("EXT_SUFFIX"))
"""Names Python's version and ABI and the machine."""


@dataclass(frozen=True)
class Group:
    """Modules that call each other as machine code. A process serves one group."""

    name: str
    compiled: tuple[str, ...]
    """Patterns of files; what only passes names on (`__init__.py`) stays as it is in any case."""
    read: tuple[str, ...]
    """Whose types and constants the compiler sees besides, and builds in. All else is without types to it, and so
    can't make what it made stale."""
    kept: tuple[str, ...] = ()
    """Files among the compiled that stay as they are all the same, and are only read."""

    @property
    def library(self) -> str:
        """The module that all of them are in; the others only point there."""
        return f"p2p_{self.name}__mypyc"

    @property
    def cache(self) -> str:
        """The folder of all versions."""
        return f"p2p-sim-{self.name}"

    def compiled_files(self, root: Path = ROOT) -> list[str]:
        """In order."""
        found = _files(self.compiled, root)
        return [name for name in found if not name.endswith("__init__.py") and name not in self.kept]

    def all_files(self, root: Path = ROOT) -> list[str]:
        """All that the compiler sees of ours."""
        return _files((*self.compiled, *self.read), root)

    def digest(self, root: Path = ROOT) -> str:
        """Of all that the machine code depends on: those sources, which of them are compiled, this Python, and mypy and
        its compiler."""
        found = hashlib.sha256(f"{sys.version} {SUFFIX} {_mypy()} {self.compiled_files(root)}\n".encode())
        for name in self.all_files(root):
            data = (root / name).read_bytes()
            found.update(f"{name} {len(data)}\n".encode() + data)
        return found.hexdigest()[:24]


BRAINS: Final = Group(
    "brains",
    ("p2pd/policy/*.py", "p2pd/swarm/*.py", "p2pd/wire/bits.py", "sim/quick/*.py"),
    ("p2pd/__init__.py", "p2pd/wire/*.py", "sim/__init__.py"),
)
"""What the engine quick runs."""
FLEET: Final = Group(
    "fleet",
    (
        *("p2pd/policy/*.py", "p2pd/swarm/*.py", "p2pd/wire/*.py", "p2pd/exchange/*.py", "p2pd/store/*.py"),
        *("p2pd/content.py", "manifests/digest.py", "manifests/layout.py", "manifests/manifest.py"),
        *("sim/clock.py", "sim/trace.py", "sim/world.py", "sim/net/*.py", "sim/disk/*.py"),
    ),
    (
        *("p2pd/__init__.py", "p2pd/world/__init__.py", "p2pd/world/network.py", "p2pd/world/disk.py"),
        *("manifests/*.py", "sim/__init__.py", "sim/errors.py"),
    ),
    (
        *("p2pd/wire/messages.py", "p2pd/wire/orders.py", "p2pd/wire/announce.py"),
        *("p2pd/wire/handout.py", "p2pd/wire/fields.py", "p2pd/wire/attestation.py"),
        *("p2pd/exchange/manifests.py", "sim/net/lan.py"),
    ),
)
"""What the engine fleet spends its time in: the brains, the bodies around them, and the simulated world."""
GROUPS: Final = {"quick": BRAINS, "fleet": FLEET}
"""By the engine that they are for."""


def _files(patterns: Iterable[str], root: Path) -> list[str]:
    found = (path for pattern in patterns for path in sorted(root.glob(pattern)))
    return list(dict.fromkeys(path.relative_to(root).as_posix() for path in found))


def module_of(name: str) -> str:
    """As a file is imported."""
    return name.removesuffix(".py").replace("/", ".")


def _mypy() -> str:
    try:
        return version("mypy")
    except PackageNotFoundError:
        return "none"
