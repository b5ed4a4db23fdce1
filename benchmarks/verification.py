"""What verification is of the processor time of a download: every chunk's digest, and a first look at the metadata.

    python -m benchmarks.verification [--size 1] [--json]

Real processes on loopback, over mutual TLS: trackers, a seeder, one host that is told to run a release of random bytes.
`download_cpu_s` is the daemon's, user and system, from the order until the release runs. `verify_cpu_s` is that of the
daemon's own function over the same pieces, `metadata_cpu_s` of a first visit to a repository of 500 products with 50
releases by two parties each: both measured alone, so on an idle machine. The claim: both together at most a tenth of a
download of usual size. A first visit costs as much for a small release, and happens once in a machine's life.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import trio

from benchmarks.begin import start
from benchmarks.metadata import Site, look, product
from demo.fleet import Fleet
from demo.processes import children
from demo.publisher import Publisher, Release
from manifests.blobs import MANIFESTS, BlobStore, chunk_path
from manifests.codec import decode
from manifests.digest import verify
from manifests.names import ReleaseName

SHARE_MAX = 0.1
GIB = 2**30
PRODUCTS, RELEASES = 500, 50
LOOK_S = 0.1
GIVE_UP_S = 300.0
HOST = "host-1"


@dataclass(frozen=True)
class Costs:
    """Processor seconds. `share`: of verification in all."""

    size_bytes: int
    download_cpu_s: float
    verify_cpu_s: float
    metadata_cpu_s: float

    @property
    def share(self) -> float:
        """The daemon's own figure holds a look at a small repository already; that of a large one is added to both."""
        trust_s = self.verify_cpu_s + self.metadata_cpu_s
        return trust_s / (self.download_cpu_s + self.metadata_cpu_s)


def main() -> int:
    """0 when the claim is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1.0, metavar="GiB", help="of the release (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.size <= 0:
        parser.error("--size must be more than 0")
    with tempfile.TemporaryDirectory(prefix="p2pd-verification-") as directory:
        costs = trio.run(measure, Path(directory), round(given.size * GIB))
    kept = costs.share <= SHARE_MAX
    if given.json:
        print(json.dumps(asdict(costs) | {"share": round(costs.share, 4), "share_max": SHARE_MAX, "claim_kept": kept}))
    else:
        print(f"{costs.size_bytes / 1e9:.2f} GB in {costs.download_cpu_s:.2f} core-s; chunks {costs.verify_cpu_s:.3f}, "
              f"metadata {costs.metadata_cpu_s:.3f} core-s: {100 * costs.share:.1f} % is verification")  # fmt: skip
    return 0 if kept else 1


async def measure(directory: Path, size: int) -> Costs:
    """Publish, deploy, wait; then the same pieces and a large repository by themselves."""
    logs, tree = directory / "logs", directory / "tree"
    logs.mkdir()
    (tree / "app").mkdir(parents=True)
    (tree / "app" / "main.py").write_text("")
    with (tree / "data").open("wb") as data:
        for _ in range(0, size, 2**20):
            data.write(os.urandom(2**20))
    publisher = Publisher(directory / "publisher", logs / "commands.log")
    await publisher.prepare()
    release = await publisher.publish("1", tree)
    async with children(logs) as started, httpx.AsyncClient() as http:
        fleet = await start(directory, [HOST], publisher, started, http)
        before = cpu_s(started.running[HOST].process.pid)
        await run(fleet, release)
        download_s = cpu_s(started.running[HOST].process.pid) - before
    metadata_s = look(Site(PRODUCTS, RELEASES), directory / "metadata", ReleaseName(product(0), "1.0")).cpu_s
    return Costs(release.size, download_s, verifying_s(BlobStore(publisher.store.as_uri())), metadata_s)


async def run(fleet: Fleet, release: Release) -> None:
    """Deploy, until the host runs it."""
    await fleet.deploy(release.name)
    with trio.fail_after(GIVE_UP_S):
        while fleet.board.nodes[HOST].state != "VERIFIED":
            await trio.sleep(LOOK_S)
            await fleet.look()


def verifying_s(store: BlobStore) -> float:
    """Processor seconds of verifying every piece of the only release in the store, one at a time in memory."""
    (path,) = store.list(f"{MANIFESTS}/")
    manifest, took = decode(store.get(path)), 0.0
    for piece in range(manifest.pieces):
        data = store.get(chunk_path(manifest.digest(piece)))
        began = time.thread_time()
        verify(manifest.algorithm, data, manifest.digest(piece))
        took += time.thread_time() - began
    return took


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main())
