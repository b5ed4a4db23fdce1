"""`python -m benchmarks.swarm`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import command

from . import simulated
from .display import line_of, show_progress
from .rows import Row, row_of
from .run import measure
from .scenarios import DEFAULT, SCENARIOS, WITHOUT_ODD
from .systems import DEFAULT as DEFAULT_SYSTEMS
from .systems import SYSTEMS

MIB: Final = 2**20
EXAMPLE: Final = """\
example:
  python -m benchmarks.swarm S1                                    ours beside all others: some minutes
  python -m benchmarks.swarm S1 --systems p2pd --size 16           while tuning
  python -m benchmarks.swarm S1 S3 --systems p2pd,simulated        ours, and what the simulator says of it
  python -m benchmarks.swarm S1 S4 --systems p2pd,libtorrent --json > rows.json

Needs root (network namespaces), and what the systems need: libtorrent is in the extra `bench`; Debian packages are
installed when they are missing. Nothing stays behind. One run at a time: two would share this machine's cores.
Read ratios within one run. `others` says how many cores other work kept busy: from half a core on, measure again."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = "\n".join(f"  {name:4}{scenario.about}" for name, scenario in SCENARIOS.items())
    what = f"How long a swarm takes on shaped links, and what it costs.\n\nscenarios:\n{about}"
    made = command.parser("benchmarks.swarm", what, EXAMPLE)
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"default: {' '.join(DEFAULT)}")
    command.add_systems(made, (*SYSTEMS, simulated.NAME), DEFAULT_SYSTEMS)
    made.add_argument("--size", type=float, default=64.0, metavar="MiB", help="of the content (default: 64)")
    made.add_argument("--directory", help="where the peers' files are (default: where temporary files are)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    made = parser()
    given = made.parse_args(argv)
    if unknown := [name for name in given.scenarios if name not in SCENARIOS]:
        made.error(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    names = given.scenarios or DEFAULT
    if simulated.NAME in given.systems and (not_simulated := [x for x in names if not simulated.can_be(SCENARIOS[x])]):
        made.error(f"{', '.join(not_simulated)} can't be simulated: run them without {simulated.NAME!r}")
    if given.size <= 0 or given.repeat < 1:
        made.error("--size and --repeat must be more than 0")
    return command.run(made.prog, measure_all(given), line_of, as_json=given.json)


def measure_all(given: argparse.Namespace) -> Iterator[Row]:
    """Scenario by scenario, the systems one after the other, so that those that are compared run close together."""
    with command.random_content(round(given.size * MIB), given.directory) as content:
        for name in given.scenarios or DEFAULT:
            for run in range(1, given.repeat + 1):
                for system in given.systems:
                    yield from _measure(name, system, run, content, first=given.first)


def _measure(name: str, system: str, run: int, content: Path, *, first: bool) -> Iterator[Row]:
    """A scenario's row; before it that of what it is compared with."""
    without = None
    if name in WITHOUT_ODD:
        for without in _measure(WITHOUT_ODD[name], system, run, content, first=first):
            yield without
    scenario, size = SCENARIOS[name], content.stat().st_size
    if system == simulated.NAME:
        seen = simulated.simulated(scenario, size, run)
    else:
        seen = measure(scenario, SYSTEMS[system], content, show_progress(f"{name} {system}"), first=first)
    yield row_of(scenario, system, run, size, seen, without)


if __name__ == "__main__":
    sys.exit(main())
