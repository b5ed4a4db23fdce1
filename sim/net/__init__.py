"""The network seam, simulated: places with links, streams over them, and what may go wrong on the way."""

from .network import SimNetwork
from .place import Place
from .port import Port

__all__ = ["Place", "Port", "SimNetwork"]
