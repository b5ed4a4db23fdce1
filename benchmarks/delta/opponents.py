"""The binary-delta tools and the whole-file compressor, each at its strongest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .corpus import Files
from .measuring import Cost, run
from .tools import Tools

XDELTA_WINDOW_MAX: Final = 2**31 - 1
BSDIFF_MEMORY_FACTOR: Final = 10
"""Bytes of memory per byte of the old file: 9.1 were seen."""
LONG_MAX: Final = 31


@dataclass(frozen=True)
class Result:
    """What one way costs. `fetch_bytes` is all of it: data, indexes, manifests, headers. `equal`: to the byte."""

    method: str
    fetch_bytes: int = 0
    requests: int = 0
    publish: Cost = field(default_factory=Cost)
    apply: Cost = field(default_factory=Cost)
    equal: bool = False
    skipped: str = ""
    """Why it was not run; '' if it was."""
    manifest_bytes: int = 0
    """Of `fetch_bytes`: what says how the rest fits together, where that travels apart."""


Method = Callable[[Files, Tools, Path], Result]
"""Compares a pair within a directory of its own. ToolError."""


def xdelta3(files: Files, tools: Tools, directory: Path) -> Result:
    """xdelta3 -9 with lzma and a window as large as the old file. It expands what gzip and others made, and lets them
    make it again: where other bytes come of that, the files are patched as they are.
    """
    expanding = _xdelta3(files, tools, directory)
    return expanding if expanding.equal else _xdelta3(files, tools, directory, "-D")


def _xdelta3(files: Files, tools: Tools, directory: Path, *more: str) -> Result:
    patch, made, tool = directory / "patch", directory / "made", tools.find("xdelta3")
    window: list[str | Path] = ["-B", str(min(max(files.old_bytes, 1 << 20), XDELTA_WINDOW_MAX)), "-f", *more]
    window += ["-s", files.old]
    publish = run([tool, "-e", "-9", "-S", "lzma", *window, files.new, patch], environment=tools.environment)
    apply = run([tool, "-d", *window, patch, made], environment=tools.environment)
    return Result("xdelta3 -9 lzma", patch.stat().st_size, 1, publish, apply, same(made, files.new))


def bsdiff(files: Files, tools: Tools, directory: Path) -> Result:
    """bsdiff, where memory allows."""
    need, free = BSDIFF_MEMORY_FACTOR * files.old_bytes, free_memory_bytes()
    if need > free:
        return Result("bsdiff", skipped=f"needs {need >> 20} MiB of memory, {free >> 20} are free")
    patch, made = directory / "patch", directory / "made"
    publish = run([tools.find("bsdiff"), files.old, files.new, patch], environment=tools.environment)
    apply = run([tools.find("bspatch"), files.old, made, patch], environment=tools.environment)
    return Result("bsdiff", patch.stat().st_size, 1, publish, apply, same(made, files.new))


def zstd_patch(files: Files, tools: Tools, directory: Path) -> Result:
    """zstd --patch-from -19 with a window over both files."""
    patch, made, tool = directory / "patch", directory / "made", tools.find("zstd")
    long = f"--long={min(LONG_MAX, max(27, (files.old_bytes + files.new_bytes).bit_length()))}"
    base = ["-q", long, f"--patch-from={files.old}"]
    publish = run([tool, "-19", *base, files.new, "-o", patch], environment=tools.environment)
    apply = run([tool, "-d", *base, "--memory=2048MB", patch, "-o", made], environment=tools.environment)
    return Result("zstd --patch-from -19", patch.stat().st_size, 1, publish, apply, same(made, files.new))


def zstd_whole(files: Files, tools: Tools, directory: Path) -> Result:
    """No delta at all."""
    whole, made, tool = directory / "whole", directory / "made", tools.find("zstd")
    publish = run([tool, "-q", "-19", files.new, "-o", whole], environment=tools.environment)
    apply = run([tool, "-q", "-d", whole, "-o", made], environment=tools.environment)
    return Result("zstd -19 whole", whole.stat().st_size, 1, publish, apply, same(made, files.new))


def same(one: Path, other: Path) -> bool:
    """Are they equal to the byte?"""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while part := first.read(1 << 20):
            if part != second.read(1 << 20):
                return False
    return True


def free_memory_bytes() -> int:
    """What this machine could give a tool now."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
