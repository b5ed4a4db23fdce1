"""`python -m benchmarks.background`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import command

from .rows import Row, line_of
from .scene import CONTROLS, Case, measure

DIRECTIONS: Final = ("up", "down")
EXAMPLE: Final = """\
example:
  python -m benchmarks.background                        both directions, normal and background: some minutes
  python -m benchmarks.background up --queue 200 --json
  python -m benchmarks.background down --http --only background
  python -m benchmarks.background up --webrtc --only background
  python -m benchmarks.background --flow bbr --two --only background

Needs root (network namespaces). Nothing stays behind. Each case: the foreground flow alone, the daemon alone, both, the
daemon alone again; with --late the foreground flow is there first. Claims, of the background: the foreground flow keeps
90 % of its rate, and the daemon alone uses 80 % of the link."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    what = "What a daemon in the background leaves to an ordinary flow on the same narrow link, and what it uses alone."
    made = command.parser("benchmarks.background", what, EXAMPLE)
    made.add_argument("directions", nargs="*", metavar="DIRECTION", help="up, down (default: both)")
    made.add_argument("--only", choices=("normal", "background"), help="one setting of the daemon only")
    made.add_argument("--http", action="store_true", help="the daemon's only source is plain HTTP (down only)")
    made.add_argument("--webrtc", action="store_true", help="neither daemon can be dialled (up only)")
    made.add_argument("--flow", choices=CONTROLS, default=CONTROLS[0], help="its congestion control (default: cubic)")
    made.add_argument(
        "--two", action="store_true", help="a second daemon beside the first, on the same link (down only)"
    )
    made.add_argument("--late", action="store_true", help="the foreground flow is there before the daemon begins")
    made.add_argument("--mbit", type=float, default=20.0, metavar="MBIT", help="the link, each way (default: 20)")
    made.add_argument("--queue", type=float, default=100.0, metavar="MS", help="in front of it (default: 100)")
    made.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of each measurement (default: 10)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    made = parser()
    given = made.parse_args(argv)
    if unknown := [name for name in given.directions if name not in DIRECTIONS]:
        made.error(f"no direction {unknown[0]!r}; there are {', '.join(DIRECTIONS)}")
    if (given.http or given.two) and given.directions != ["down"]:
        made.error("--http and --two are for the direction down")
    if given.webrtc and given.directions != ["up"]:
        made.error("--webrtc is for the direction up")
    if min(given.mbit, given.queue, given.seconds, given.repeat) <= 0:
        made.error("--mbit, --queue, --seconds and --repeat must be more than 0")
    return command.run(made.prog, measure_all(given), line_of, as_json=given.json)


def measure_all(given: argparse.Namespace) -> Iterator[Row]:
    """Those that are compared run close together."""
    for direction in given.directions or DIRECTIONS:
        for _ in range(given.repeat):
            for background in (False, True):
                if given.only in (None, "background" if background else "normal"):
                    link = (given.mbit, given.queue / 1000)
                    case = Case(
                        direction, background, *link, given.seconds,
                        given.late, given.http, given.flow, given.two, given.webrtc,
                    )  # fmt: skip
                    with command.random_content(case.size, None) as content:
                        yield measure(case, content, first=given.first)


if __name__ == "__main__":
    sys.exit(main())
