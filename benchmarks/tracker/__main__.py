"""`python -m benchmarks.tracker`."""

import argparse
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import command
from benchmarks.links import BenchmarkError, Host, Plan, network, processes
from demo.publisher import environment

from . import certificates
from .measure import HOST, Ours, measure_opentracker
from .rows import Row, judged, line_of

SYSTEMS: Final = ("p2p-tracker", "p2p-tracker-plain", "opentracker")
"""With mutual TLS, as a fleet has it; without; the reference in C."""
DEFAULT: Final = ("p2p-tracker", "opentracker")
FILES_SPARE: Final = 200
EXAMPLE: Final = """\
example:
  python -m benchmarks.tracker
  python -m benchmarks.tracker --hosts 1000 --systems p2p-tracker
  python -m benchmarks.tracker --json

Needs root (a network namespace), and opentracker, which is installed when it is missing. The hosts are one process,
each with an address and a connection of its own. Figures by the tracker's own processor time hold on a busy machine,
those in seconds and milliseconds do not: `others` says how many cores other work kept busy."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    what = "What a tracker bears: announces, idle hosts, and a storm of all hosts coming back at once."
    made = command.parser("benchmarks.tracker", what, EXAMPLE)
    command.add_systems(made, SYSTEMS, DEFAULT)
    made.add_argument("--hosts", type=int, default=10_000, metavar="N", help="connected at once (default: 10000)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    made = parser()
    given = made.parse_args(argv)
    if given.hosts < 1 or given.repeat < 1:
        made.error("--hosts and --repeat must be more than 0")
    return command.run(made.prog, measure_all(given), line_of, as_json=given.json)


def measure_all(given: argparse.Namespace) -> Iterator[Row]:
    """One system after the other."""
    _allow_files(given.hosts + FILES_SPARE)
    for run in range(1, given.repeat + 1):
        for system in given.systems:
            with (
                tempfile.TemporaryDirectory(prefix="p2pbench-") as directory,
                network(Plan((Host(HOST),))) as links,
                processes(links, Path(directory), environment(), first=given.first) as started,
            ):
                home = Path(directory, "home")
                home.mkdir()
                if system == "opentracker":
                    yield measure_opentracker(started, home, given.hosts, run)
                    continue
                papers = Path(directory, "papers") if system == "p2p-tracker" else None
                if papers:
                    certificates.make(papers, given.hosts)
                yield judged(Ours(started, home, given.hosts, papers).measure(run))


def _allow_files(count: int) -> None:
    """For us and our children; as root also beyond the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
        except (ValueError, OSError) as error:
            raise BenchmarkError(f"{count} open files are needed, {hard} allowed: raise `ulimit -n`") from error


if __name__ == "__main__":
    sys.exit(main())
