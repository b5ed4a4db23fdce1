"""`python -m benchmarks.hostile`: what is left of an honest download under attack, and what that costs."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import command

from .enemies import CROWDS, MEMBERS, TRACKERS
from .rows import Row, line_of
from .scene import Scene, cpu_s, room

MIB = 2**20
SETTLE_S = 2.0
"""From the first enemies to the first look: what was saved for a crowd is spent by then."""
WATCH_S = 3.0
KINDS = (*CROWDS, *MEMBERS)
ALL_AT_ONCE = "all at once"
TOGETHER = ("silent connections", "half handshakes", "small messages", "requests for everything", "a million swarms")
EXAMPLE = """\
examples:
  python -m benchmarks.hostile --json
  python -m benchmarks.hostile --kinds pings,half\\ handshakes --repeat 5

Each repetition is a pair: a release fetched in peace, and one under attack. The rate that is left is the median of the
pairs' ratios. Processor time and memory are the daemon's (of "a million swarms": the tracker's), attacked while
nothing is fetched. The daemon has a core of its own; the enemies share the other one with the honest source, and
come after it (nice 19)."""


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    made = command.parser("benchmarks.hostile", "An honest download on a daemon that is attacked.", EXAMPLE)
    made.set_defaults(repeat=3)
    made.add_argument("--kinds", metavar="NAME,…", default="", help=f"of {', '.join((*KINDS, ALL_AT_ONCE))}")
    made.add_argument("--size", type=int, default=384, metavar="MiB", help="of each release (default: 384)")
    made.add_argument("--directory", help="where everything is kept meanwhile (default: memory, where there is some)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all claims are kept."""
    made = parser()
    given = made.parse_args(argv)
    kinds = [name.strip() for name in given.kinds.split(",")] if given.kinds else [*KINDS, ALL_AT_ONCE]
    if unknown := [name for name in kinds if name not in (*KINDS, ALL_AT_ONCE)]:
        made.error(f"no kind {unknown[0]!r}; there are {', '.join((*KINDS, ALL_AT_ONCE))}")
    return command.run("benchmarks.hostile", measure_all(given, kinds), line_of, as_json=given.json)


def measure_all(given: argparse.Namespace, kinds: Sequence[str]) -> Iterator[Row]:
    """One row a kind."""
    base = given.directory or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="p2pbench-", dir=base) as directory:
        room(Path(directory), given.size * MIB)
        scene = Scene(Path(directory), given.size * MIB)
        try:
            _tell("publishing, and starting the fleet")
            scene.set_up()
            for _ in range(2):
                scene.download()  # the seeder has all of it afterwards
            for kind in kinds:
                yield measure(scene, kind, given.repeat)
        finally:
            scene.close()


def measure(scene: Scene, kind: str, repeat: int) -> Row:
    """One kind of attack, so many times."""
    quiet, attacked, shares, ratios, answers, by_cpu = [], [], [], [], [], []
    pid = scene.tracker_pid if kind in TRACKERS else scene.daemon_pid
    before = peak = rss_bytes(pid)
    for number in range(repeat):
        _tell(f"{kind}, {number + 1} of {repeat}")
        peace = scene.download()
        with scene.attack(TOGETHER if kind == ALL_AT_ONCE else (kind,), peace.said["swarm"], peace.said["pieces"]):
            time.sleep(SETTLE_S)
            shares.append(cpu_share(pid, WATCH_S))
            answers.append(scene.answer_s())
            war = scene.download()
            peak = max(peak, rss_bytes(pid))
        quiet.append(peace.rate)
        attacked.append(war.rate)
        ratios.append(war.rate / peace.rate)
        by_cpu.append(war.work / peace.work)
    return Row(
        kind,
        repeat,
        quiet_mb_per_s=statistics.median(quiet) / 1e6,
        attacked_mb_per_s=statistics.median(attacked) / 1e6,
        left=statistics.median(ratios),
        left_by_cpu=statistics.median(by_cpu),
        cpu_share=statistics.median(shares),
        grown_bytes=peak - before,
        answer_s=statistics.median(answers),
    )


def cpu_share(pid: int, seconds: float) -> float:
    """Of one core, over so many seconds."""
    began, before_s = time.monotonic(), cpu_s(pid)
    time.sleep(seconds)
    return (cpu_s(pid) - before_s) / (time.monotonic() - began)


def rss_bytes(pid: int) -> int:
    """Resident."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
