"""How long after a deploy a download begins: from the command's return to the first verified byte on each host.

    python -m benchmarks.begin [--hosts 4] [--deploys 10] [--json]

Real processes on loopback: a global and a regional tracker, a seeder, the hosts. Each deploy is of a release that is
all new (8 MiB of random bytes). The claim: within 2 s, the way from the global tracker to the region's included.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import trio

from demo.board import Board
from demo.fleet import Fleet
from demo.processes import Children, children
from demo.publisher import Publisher, Release

CLAIM_S = 2.0
SIZE_BYTES = 8 * 1024 * 1024
LOOK_S = 0.01
GIVE_UP_S = 30.0


def main() -> int:
    """0 when the slowest host of the slowest deploy kept the claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--deploys", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="p2pd-begin-") as directory:
        times = trio.run(measure, Path(directory), given.hosts, given.deploys)
    figures = {
        "hosts": given.hosts,
        "deploys": given.deploys,
        "median_s": statistics.median(times),
        "p90_s": statistics.quantiles(times, n=10)[-1],
        "slowest_s": max(times),
        "claim_s": CLAIM_S,
    }
    if given.json:
        print(json.dumps(figures))
    else:
        print(f"first verified byte after a deploy: median {figures['median_s']:.3f} s, slowest {max(times):.3f} s")
    return 0 if max(times) <= CLAIM_S else 1


async def measure(directory: Path, hosts: int, deploys: int) -> list[float]:
    """Seconds of each host in each deploy."""
    logs = directory / "logs"
    logs.mkdir()
    publisher = Publisher(directory / "publisher", logs / "commands.log")
    await publisher.prepare()
    releases = [await publish(publisher, directory / "tree", number) for number in range(deploys)]
    names = [f"host-{number}" for number in range(1, hosts + 1)]
    async with children(logs) as started, httpx.AsyncClient() as http:
        fleet = await start(directory, names, publisher, started, http)
        return [seconds for release in releases for seconds in await deploy(fleet, release)]


async def publish(publisher: Publisher, tree: Path, number: int) -> Release:
    """A release of new random bytes, with a health check that says yes."""
    (tree / "app").mkdir(parents=True, exist_ok=True)
    (tree / "app" / "main.py").write_text("")
    (tree / "data").write_bytes(os.urandom(SIZE_BYTES))
    return await publisher.publish(f"{number + 1}", tree)


async def start(
    directory: Path, names: list[str], publisher: Publisher, started: Children, http: httpx.AsyncClient
) -> Fleet:
    """The whole fleet of the demo, with so many hosts."""
    home = directory / "fleet"
    home.mkdir()
    fleet = Fleet(home, names, publisher, started, Board(), http)
    await fleet.start(lambda words: None)
    return fleet


async def deploy(fleet: Fleet, release: Release) -> list[float]:
    """Deploy, and wait until every host has begun; seconds since the command returned. Then let them finish."""
    await fleet.deploy(release.name)
    began, seconds = time.monotonic(), dict[str, float]()
    with trio.fail_after(GIVE_UP_S):
        while len(seconds) < len(fleet.names):
            await fleet.look()
            for name, node in fleet.board.nodes.items():
                if node.download(release.name).verified and name not in seconds:
                    seconds[name] = time.monotonic() - began
            await trio.sleep(LOOK_S)
        while any(node.state != "VERIFIED" for node in fleet.board.nodes.values()):
            await fleet.look()
            await trio.sleep(0.1)
    return list(seconds.values())


if __name__ == "__main__":
    raise SystemExit(main())
