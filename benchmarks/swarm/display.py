"""Rows and progress for a person's eye."""

import sys
from collections.abc import Callable
from typing import Any

from .rows import Row

BAR_CHARS = 30
MIB = 2**20
IN_VAIN = ("duplicate_bytes", "refetched_bytes")
"""What ours notes of bytes that came more than once."""

Progress = Callable[[float, float, int], None]
"""Told the seconds, the share of the bytes that has arrived, and how many peers have finished."""


def show_progress(name: str) -> Progress:
    """A line that is written over and over, on standard error when that is a terminal."""

    def draw(seconds: float, share: float, finished: int) -> None:
        filled = min(BAR_CHARS, round(BAR_CHARS * share))
        bar = "#" * filled + "." * (BAR_CHARS - filled)
        print(f"\r{name:20} [{bar}] {seconds:5.1f} s, {finished} finished ", end="", file=sys.stderr, flush=True)

    def ignore(seconds: float, share: float, finished: int) -> None:
        """Nobody looks."""

    return draw if sys.stderr.isatty() else ignore


def line_of(row: Row) -> str:
    """The figures in words; what happened, and what of our claims it does not keep."""
    ratio = f"{row.ratio:.2f} x" if row.ratio else "never"
    cells = [
        f"{row.scenario:4}{row.system:17}{ratio:>7} of {row.bound_s:.2f} s",
        f"{row.finished}/{row.peers} finished",
        f"origin {row.origin_copies:.2f} copies",
        f"received {row.received_copies:.2f}",
    ]
    if row.site_copies is not None:
        cells.append(f"into a site {row.site_copies:.2f}")
    if row.slowdown is not None:
        cells.append(f"slowed down {row.slowdown:.3f} x")
    if row.cpu_s_per_gb is not None:
        cells.append(f"{row.cpu_s_per_gb:.1f} core-s/GB")
    cells.append(f"{row.rss_seed_bytes / MIB:.0f}/{row.rss_peer_bytes / MIB:.0f} MiB")
    cells.append(f"others {row.other_cores:.2f} cores")
    cells += [f"{key} {value:.2f}" for key, value in row.events.items()]
    if row.system == "p2pd":
        cells += [f"{key} {_short(row.notes[key])}" for key in IN_VAIN if key in row.notes]
    cells += [f"MISSED {claim}" for claim in row.missed]
    return ", ".join(cells)


def _short(value: Any) -> str:
    return f"{value / MIB:.2f} MiB" if isinstance(value, int | float) else str(value)
