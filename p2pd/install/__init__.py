"""From a goal to a release that runs: the lifecycle (a pure brain), its body, and what ties both together."""

from .garbage import Kept, surplus
from .installer import Installer, release_directory
from .keeper import Keeper, load_memory
from .lifecycle import Lifecycle, ServiceStatus
from .memory import Candidate, Memory
from .states import State

__all__ = [
    "Candidate",
    "Installer",
    "Keeper",
    "Kept",
    "Lifecycle",
    "Memory",
    "ServiceStatus",
    "State",
    "load_memory",
    "release_directory",
    "surplus",
]
