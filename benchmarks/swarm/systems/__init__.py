"""The systems that are measured, each with its best settings."""

from collections.abc import Callable
from typing import Final

from benchmarks.swarm.lab import Lab, System

from .aria2 import Aria2
from .libtorrent import SUPER_PIECE_BYTES, Libtorrent
from .nginx import Nginx
from .p2pd import P2pd

SYSTEMS: Final[dict[str, Callable[[Lab], System]]] = {
    "p2pd": P2pd,
    "libtorrent": Libtorrent,
    "libtorrent-super": lambda lab: Libtorrent(lab, super_seeding=True, piece_bytes=SUPER_PIECE_BYTES),
    "aria2": Aria2,
    "nginx": Nginx,
}
"""By the name that --systems knows."""
DEFAULT: Final = ("p2pd", "libtorrent", "aria2", "nginx")

__all__ = ["DEFAULT", "SYSTEMS"]
