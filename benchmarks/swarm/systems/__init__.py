"""The systems that are measured, each with its best settings."""

from collections.abc import Callable
from typing import Final

from .aria2 import Aria2
from .libtorrent import Libtorrent
from .nginx import Nginx
from .ours import P2pd
from .system import Lab, System

SYSTEMS: Final[dict[str, Callable[[Lab], System]]] = {
    "p2pd": P2pd,
    "libtorrent": Libtorrent,
    "libtorrent-super": lambda lab: Libtorrent(lab, super_seeding=True),
    "aria2": Aria2,
    "nginx": Nginx,
}
"""By the name that --systems knows."""
DEFAULT: Final = ("p2pd", "libtorrent", "aria2", "nginx")

__all__ = ["DEFAULT", "SYSTEMS", "Lab", "System"]
