"""Two daemons on one LAN, no tracker and no server: the second finds the first by DNS-SD and takes a release from it.

    python -m benchmarks.lan [--size MiB] [--json]

The first takes a release from the seeder; the second only hears who vouches for it. Then tracker and seeder are killed,
and the second has only the LAN. The claims: its first verified byte is there within 2 s of its being ready, and 99 % of
its bytes come from the first. It needs root (network namespaces).
"""

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import trio

from benchmarks.links import BenchmarkError, Host, Site, load, network, processes
from benchmarks.nat import SETTLE_S, until
from benchmarks.swarm.lab import Lab
from benchmarks.swarm.ours import OurFleet
from benchmarks.swarm.scenarios import SEED, TRACKER, Scenario
from demo.publisher import environment
from p2pd import control

FIRST, SECOND = "first", "second"
HOME: Final = Site("home", 100)
SCENARIO: Final = Scenario(
    "lan", "two peers at home", 100, (Host(FIRST, site="home"), Host(SECOND, site="home")), (HOME,)
)
FOUND_S_MAX: Final = 2.0
SHARE_MIN: Final = 0.99


@dataclass(frozen=True)
class Row:
    """`found_s`: from the second daemon's being ready to its first verified byte; `by_source`: its bytes."""

    size_bytes: int
    found_s: float
    by_source: dict[str, int]
    load: float

    @property
    def share(self) -> float:
        """Of the second's bytes, from the LAN."""
        return self.by_source.get("lan", 0) / max(1, sum(self.by_source.values()))

    @property
    def kept(self) -> bool:
        """The claims."""
        return self.found_s < FOUND_S_MAX and self.share >= SHARE_MIN


def main() -> int:
    """0 when the claims are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=64.0, metavar="MiB", help="of the release (default: 64)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        row = measure(round(given.size * 2**20))
    except BenchmarkError as error:
        print(f"benchmarks.lan: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(asdict(row) | {"share": row.share, "kept": row.kept}))
    else:
        print(f"first byte {row.found_s:.2f} s after it was ready, {row.share:.1%} from the LAN (load {row.load:.1f})")
        print("the claims are kept" if row.kept else f"NOT KEPT: {row.by_source}")
    return 0 if row.kept else 1


def measure(size: int) -> Row:
    """BenchmarkError when it can't be measured here."""
    with tempfile.TemporaryDirectory(prefix="p2pl") as directory, network(SCENARIO.plan) as links:
        content = Path(directory, "content")
        content.write_bytes(os.urandom(size))
        logs = Path(directory, "logs")
        logs.mkdir()
        with processes(links, logs, environment()) as started:
            return _run(Lab(SCENARIO, links, started, Path(directory), content), size)


def _run(lab: Lab, size: int) -> Row:
    fleet = OurFleet(lab, profile="device")
    fleet.publish()
    fleet.start_tracker()
    fleet.start_seeder()
    fleet.wait([SEED])
    fleet.start_operator(1)
    fleet.deploy()
    at_home: dict[str, Any] = {"lan_discovery": True}
    fleet.start_daemon(FIRST, **at_home)
    fleet.start_daemon(SECOND, limits={"schedule": ["mon-sun 00:00-24:00 down=off"]})
    until(lambda: fleet.finished(FIRST), "the first daemon has the release")
    fleet.wait([SECOND])
    time.sleep(SETTLE_S)
    for gone in (SECOND, SEED, TRACKER):
        lab.processes.kill(gone)
    fleet.start_daemon(SECOND, **at_home)
    lab.processes.wait(SECOND, lambda said: said.count('"ready": true') == 2)
    begun = time.monotonic()
    until(lambda: _verified_bytes(lab) > 0, "the second has a byte of it")
    found_s = time.monotonic() - begun
    until(lambda: fleet.finished(SECOND), "the second has all of it")
    notes = fleet.notes([SECOND])["bytes_by_source"]
    return Row(size, found_s, dict(notes) if isinstance(notes, dict) else {}, load())


def _verified_bytes(lab: Lab) -> int:
    try:
        answer = trio.run(control.ask, str(lab.home(SECOND) / "control"), {"command": "status"})
    except (OSError, control.ControlError):
        return 0
    return sum(one["verified_bytes"] for one in answer["downloads"])


if __name__ == "__main__":
    sys.exit(main())
