"""The machine under a benchmark: what must be installed on it, and how busy it is."""

import mmap
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import BenchmarkError

LINK_TOOLS: Final = {"ip": "iproute2", "tc": "iproute2", "sysctl": "procps", "setpriv": "util-linux"}
"""Debian's package of each."""


def check_tools(tools: Mapping[str, str]) -> None:
    """Commands that must be there, each with its Debian package: installed by apt when missing, as root; else told."""
    missing = {package for tool, package in tools.items() if shutil.which(tool) is None}
    if not missing:
        return
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *sorted(missing)]
    by_hand = f"{' '.join(sorted(missing))} not installed; on Debian: {' '.join(command)}"
    if os.geteuid() or shutil.which("apt-get") is None:
        raise BenchmarkError(by_hand)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], env=environment, capture_output=True, check=False)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if any(shutil.which(tool) is None for tool in tools):
        raise BenchmarkError(f"{by_hand} (tried that: {done.stderr.strip()[-200:]})")


def touch_memory(count: int) -> None:
    """Take so many bytes of memory, write to each page, and give them back: the kernel hands out next what was freed
    last, and a virtual machine's host takes back, within seconds, what is free. OSError when there is not so much."""
    if not count:
        return
    with mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as room:
        if hasattr(mmap, "MADV_HUGEPAGE"):  # freed in large runs, which are the first to be handed out again
            room.madvise(mmap.MADV_HUGEPAGE)
        for page in range(0, count, mmap.PAGESIZE):
            room[page] = 1


def load() -> float:
    """How many processes wanted to run, on average over the last minute."""
    return os.getloadavg()[0]


@dataclass(frozen=True)
class Busy:
    """Seconds of all cores together since the machine started."""

    at_work_s: float

    @classmethod
    def now(cls) -> "Busy":
        """So far."""
        return cls(busy_s(Path("/proc/stat").read_text(), os.sysconf("SC_CLK_TCK")))


def busy_s(stat: str, ticks_per_s: int) -> float:
    """/proc/stat: seconds in which a core did something, the first line's fields but idle (4th) and iowait (5th)."""
    user, nice, system, _, _, irq, softirq, steal = map(int, stat.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / ticks_per_s
