"""The disk in memory, which the simulator shares."""

from sim.disk.memory import TEMPORARY_SUFFIX, MemoryDisk, PowerCut

__all__ = ["TEMPORARY_SUFFIX", "MemoryDisk", "PowerCut"]
