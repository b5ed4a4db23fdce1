"""`python -m benchmarks.pair`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import command
from benchmarks.links import Host
from benchmarks.swarm.display import show_progress
from benchmarks.swarm.run import measure
from benchmarks.swarm.scenarios import Scenario

from .rows import SINK, Row, beside, line_of, row_of
from .systems import DEFAULT, SYSTEMS

GIB: Final = 2**30
POLL_S: Final = 0.005
TOUCHED: Final = 3
"""Times the content's size of memory is touched and freed before each system's order: the sink's copy of it, what both
keep of it on its way, and one more."""
PAIR: Final = Scenario("pair", "a source and a sink, links without limits", 0, (Host(SINK),))
EXAMPLE: Final = """\
example:
  python -m benchmarks.pair
  python -m benchmarks.pair --systems ceiling,p2pd --size 0.25
  python -m benchmarks.pair --directory /dev/shm --json           without the disk's part

Needs root (network namespaces), three times the size on disk, and what the systems need: libtorrent is in the extra
`bench`, nginx and curl are installed when they are missing. Read ratios within one run, on a machine that is idle."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    what = "How fast one daemon fetches from one other, to disk: the rate, the cores, the memory, beside others."
    made = command.parser("benchmarks.pair", what, EXAMPLE)
    command.add_systems(made, SYSTEMS, DEFAULT)
    made.add_argument("--size", type=float, default=1.0, metavar="GiB", help="of the content (default: 1)")
    made.add_argument("--directory", help="where the files are (default: where temporary files are)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    made = parser()
    given = made.parse_args(argv)
    if given.size <= 0 or given.repeat < 1:
        made.error("--size and --repeat must be more than 0")
    return command.run(made.prog, measure_all(given), line_of, as_json=given.json)


def measure_all(given: argparse.Namespace) -> Iterator[Row]:
    """The ceiling and libtorrent before what is compared with them."""
    systems = sorted(given.systems, key=lambda name: name not in ("ceiling", "libtorrent"))
    with command.random_content(round(given.size * GIB), given.directory) as content:
        for run in range(1, given.repeat + 1):
            rows: dict[str, Row] = {}
            for system in systems:
                size = content.stat().st_size
                seen = measure(
                    PAIR, SYSTEMS[system], content, show_progress(system), first=given.first, poll_s=POLL_S,
                    touched_bytes=TOUCHED * size,
                )  # fmt: skip
                row = row_of(system, run, size, seen)
                rows[system] = beside(row, rows.get("ceiling"), rows.get("libtorrent"))
                yield rows[system]


if __name__ == "__main__":
    sys.exit(main())
