"""From a goal to a release that runs: the lifecycle (a pure brain), its body, and what ties both together."""

from .actions import ServiceStatus
from .installer import Installer, release_directory
from .keeper import Keeper, load_memory
from .lifecycle import Lifecycle
from .memory import Candidate, Hold, Memory
from .states import State

__all__ = [
    "Candidate",
    "Hold",
    "Installer",
    "Keeper",
    "Lifecycle",
    "Memory",
    "ServiceStatus",
    "State",
    "load_memory",
    "release_directory",
]
