"""`python -m benchmarks.swarm`."""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from manifests.console import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, CommandError

from .display import show_progress, show_row
from .rows import Row, row_of
from .run import measure
from .scenarios import DEFAULT, SCENARIOS, WITHOUT_ODD
from .systems import DEFAULT as DEFAULT_SYSTEMS
from .systems import SYSTEMS

MIB = 2**20
EXAMPLE = """\
example:
  python -m benchmarks.swarm S1                                    ours beside all others: some minutes
  python -m benchmarks.swarm S1 --systems p2pd --size 16           while tuning
  python -m benchmarks.swarm S1 S4 --systems p2pd,libtorrent --json > rows.json

Needs root (network namespaces), and what the systems need: libtorrent is in the extra `bench`; Debian packages are
installed when they are missing. Nothing stays behind. One run at a time: two would share this machine's cores.
Read ratios within one run. `others` says how many cores other work kept busy: from half a core on, measure again.

exit codes: 0 all claims of ours kept, 1 not (the rows say which), 2 usage, 130 interrupted"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = "\n".join(f"  {name:4}{scenario.about}" for name, scenario in SCENARIOS.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.swarm",
        description=f"How long a swarm takes on shaped links, and what it costs.\n\nscenarios:\n{about}",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"default: {' '.join(DEFAULT)}")
    made.add_argument("--systems", type=_systems, default=list(DEFAULT_SYSTEMS), metavar="NAME,…",
                      help=f"of {', '.join(SYSTEMS)} (default: {','.join(DEFAULT_SYSTEMS)})")  # fmt: skip
    made.add_argument("--size", type=float, default=64.0, metavar="MiB", help="of the content (default: 64)")
    made.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each (default: 1)")
    made.add_argument("--directory", help="where the peers' files are (default: where temporary files are)")
    made.add_argument("--json", action="store_true", help="print a list of rows instead")
    return made


def _systems(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in SYSTEMS]:
        raise argparse.ArgumentTypeError(f"no system {unknown[0]!r}; there are {', '.join(SYSTEMS)}")
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    command = parser()
    given = command.parse_args(argv)
    if unknown := [name for name in given.scenarios if name not in SCENARIOS]:
        command.error(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    if given.size <= 0 or given.repeat < 1:
        command.error("--size and --repeat must be more than 0")
    signal.signal(signal.SIGTERM, _interrupt)
    rows = []
    try:
        for row in measure_all(given):
            rows.append(row)
            show_row(row, sys.stderr if given.json else sys.stdout)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except CommandError as error:
        print(f"{command.prog}: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        if given.json:
            print(json.dumps([row.plain() for row in rows], indent=1))
    return EXIT_FAILED if any(row.missed for row in rows if row.system == "p2pd") else EXIT_OK


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def measure_all(given: argparse.Namespace) -> Iterator[Row]:
    """Scenario by scenario, the systems one after the other, so that those that are compared run close together."""
    size = round(given.size * MIB)
    with tempfile.TemporaryDirectory(prefix="p2pbench-", dir=given.directory) as directory:
        content = Path(directory, "content", "content")
        content.parent.mkdir()
        content.write_bytes(os.urandom(size))
        for name in given.scenarios or DEFAULT:
            for run in range(1, given.repeat + 1):
                for system in given.systems:
                    yield from _measure(name, system, run, content)


def _measure(name: str, system: str, run: int, content: Path) -> Iterator[Row]:
    """A scenario's row; before it that of what it is compared with."""
    without = None
    if name in WITHOUT_ODD:
        for without in _measure(WITHOUT_ODD[name], system, run, content):
            yield without
    scenario = SCENARIOS[name]
    seen = measure(scenario, system, content, show_progress(f"{name} {system}"))
    yield row_of(scenario, system, run, content.stat().st_size, seen, without)


if __name__ == "__main__":
    sys.exit(main())
