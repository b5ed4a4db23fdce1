"""The disk seam, simulated: files in memory, with what a machine's disk does to them."""

from .memory import MemoryDisk, PowerCut
from .simdisk import DiskSpeed, SimDisk

__all__ = ["DiskSpeed", "MemoryDisk", "PowerCut", "SimDisk"]
