"""Two daemons behind real address translation, whom nobody can dial: the second takes a release from the first.

    python -m benchmarks.nat [--size MiB] [--json]

Each is in a network namespace of its own behind a router that masquerades (nftables) and refuses what comes in unasked.
The first takes a release from the seeder; the second only hears who vouches for it. Then the seeder is killed, and the
second has only the tracker: letters through it, STUN at it, and a WebRTC channel with our own TLS inside. The claims:
neither can dial the other, and all bytes of the second come from the first. It needs root.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.links import BenchmarkError, Host, Network, Site, check_tools, load, network, processes
from benchmarks.swarm.lab import Lab
from benchmarks.swarm.ours import OurFleet
from benchmarks.swarm.scenarios import SEED, TRACKER, Scenario
from demo.publisher import environment

STUN_PORT: Final = 3478
HOME, OFFICE = "home", "office"
SITES: Final = (Site(HOME, 100), Site(OFFICE, 100))
SCENARIO: Final = Scenario(
    "nat",
    "two peers, each behind address translation",
    100,
    (Host("first", site=HOME), Host("second", site=OFFICE)),
    SITES,
)
RULES: Final = """
table ip nat { chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }; }
table ip guard {
  chain through { type filter hook forward priority 0; iifname "wan" ct state new drop; };
  chain here { type filter hook input priority 0; iifname "wan" ct state new drop; };
}
"""
GIVE_UP_S: Final = 180.0
LOOK_S: Final = 0.05
SETTLE_S: Final = 3.0


@dataclass(frozen=True)
class Row:
    """`met_s`: from the second daemon's start to the whole release, meeting included; `by_source`: its bytes."""

    size_bytes: int
    dialable: bool
    met_s: float
    mb_per_s: float
    by_source: dict[str, int]
    load: float

    @property
    def kept(self) -> bool:
        """All from the other, whom it could not dial."""
        return not self.dialable and sum(self.by_source.values()) == self.by_source.get("remote", 0) > 0


def main() -> int:
    """0 when the claims are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=16.0, metavar="MiB", help="of the release (default: 16)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        row = measure(round(given.size * 2**20))
    except BenchmarkError as error:
        print(f"benchmarks.nat: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(asdict(row) | {"kept": row.kept}))
    else:
        source = ", ".join(f"{count / 1e6:.1f} MB {name}" for name, count in row.by_source.items())
        print(f"met and fetched in {row.met_s:.1f} s ({row.mb_per_s:.1f} MB/s, load {row.load:.1f}): {source}")
        print("the claims are kept" if row.kept else "NOT KEPT: see by_source")
    return 0 if row.kept else 1


def measure(size: int) -> Row:
    """BenchmarkError when it can't be measured here."""
    check_tools({"nft": "nftables", "ping": "iputils-ping"})
    with tempfile.TemporaryDirectory(prefix="p2pn") as directory, network(SCENARIO.plan) as links:
        translate(links)
        content = Path(directory, "content")
        content.write_bytes(os.urandom(size))
        logs = Path(directory, "logs")
        logs.mkdir()
        with processes(links, logs, environment()) as started:
            return run(Lab(SCENARIO, links, started, Path(directory), content), size)


def translate(links: Network) -> None:
    """Both routers hide who is behind them."""
    for site in SITES:
        done = subprocess.run(
            [*links.enter(site.name), "nft", "-f", "-"], input=RULES, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise BenchmarkError(f"nft: {done.stderr.strip()}")


def run(lab: Lab, size: int) -> Row:
    """The story above."""
    fleet = OurFleet(lab, profile="device")
    fleet.publish()
    fleet.start_tracker(stun_listen=f"0.0.0.0:{STUN_PORT}")
    fleet.start_seeder()
    fleet.wait([SEED])
    fleet.start_operator(1)
    fleet.deploy()
    rtc: dict[str, Any] = {"webrtc": True, "stun": [f"{lab.address(TRACKER)}:{STUN_PORT}"]}
    for host in ("first", "second"):  # the second hears who vouches for the release, and may not fetch it yet
        limits: dict[str, Any] = {"limits": {"schedule": ["mon-sun 00:00-24:00 down=off"]}} if host == "second" else {}
        fleet.start_daemon(host, **rtc | limits)
    until(lambda: fleet.finished("first"), "the first daemon has the release")
    fleet.wait(["second"])
    time.sleep(SETTLE_S)
    for gone in (SEED, "second"):
        lab.processes.kill(gone)
    fleet.start_daemon("second", **rtc)
    begun = time.monotonic()
    until(lambda: fleet.finished("second"), "the second daemon has it, too")
    met_s = time.monotonic() - begun
    notes = fleet.notes(["second"])["bytes_by_source"]
    return Row(size, dialable(lab), met_s, size / 1e6 / met_s, dict(notes) if isinstance(notes, dict) else {}, load())


def dialable(lab: Lab) -> bool:
    """Can the second reach the first as anybody would?"""
    ping = ["ping", "-c", "1", "-W", "1", lab.address("first")]
    done = subprocess.run([*lab.network.enter("second"), *ping], capture_output=True, check=False)
    return done.returncode == 0


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it; BenchmarkError when it takes too long."""
    ends_at = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > ends_at:
            raise BenchmarkError(f"not within {GIVE_UP_S:.0f} s: {what}")
        time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main())
