"""What a daemon costs that has nothing to do: resident memory and processor time.

    python -m benchmarks.idle [--seconds 30] [--json]     one with ten services, connected to a tracker
    python -m benchmarks.idle --pid 4711                  one that runs already

The claim: at most 80 MB resident, less than 0.5 % of a core.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

CLAIM_RSS_BYTES = 80 * 2**20
CLAIM_CPU_SHARE = 0.005
SETTLE_S = 3.0
"""After the start, before the watch."""
SERVICES = 10


@dataclass(frozen=True)
class Idle:
    """A process over some seconds. `cpu_share`: of one core."""

    rss_bytes: int
    cpu_share: float
    seconds: float


def watch(pid: int, *, seconds: float, settle_s: float = SETTLE_S) -> Idle:
    """Look at a process twice."""
    time.sleep(settle_s)
    begun, cpu_s = time.monotonic(), _cpu_s(pid)
    time.sleep(seconds)
    elapsed_s = time.monotonic() - begun
    return Idle(_rss_bytes(pid), (_cpu_s(pid) - cpu_s) / elapsed_s, elapsed_s)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@contextmanager
def _process(*argv: str) -> Iterator[tuple[int, dict[str, str]]]:
    """One of our services: its pid, and what it said when it was ready."""
    child = subprocess.Popen([sys.executable, "-m", *argv], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        yield child.pid, json.loads(child.stdout.readline())
    finally:
        child.terminate()
        child.wait(10)


@contextmanager
def _idle_daemon(directory: Path) -> Iterator[int]:
    """The pid of a daemon that waits for goals of its services."""
    from manifests.blobs import BlobStore
    from manifests.repository import Repository
    from manifests.tuf_api import CryptoSigner

    keys = [CryptoSigner.generate_ed25519() for _ in range(3)]
    root = Repository(BlobStore("memory:///"), datetime.now(UTC)).init([keys[0]], keys[1], keys[2])
    (directory / "root.json").write_bytes(root)
    where = ("--listen", "127.0.0.1:0", "--state-directory", str(directory / "tracker"), "--quiet", "--insecure")
    with _process("tracker", "serve", *where) as (_, tracker):
        config = directory / "p2pd.toml"
        lines = [f'{name}_directory = "{directory / name}"' for name in ("state", "data")]
        lines += [f'trust_root = "{directory / "root.json"}"', f'trackers = ["{tracker["listen"]}"]']
        lines += [f"[services.service-{number}]" for number in range(SERVICES)]
        config.write_text("\n".join([*lines, ""]))
        with _process("p2pd", "run", "--config", str(config), "--quiet", "--insecure") as (pid, _):
            yield pid


def main() -> int:
    """0 when the claim is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--pid", type=int, help="watch this process instead of starting one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.pid is not None:
        seen = watch(given.pid, seconds=given.seconds, settle_s=0.0)
    else:
        with tempfile.TemporaryDirectory(prefix="p2pd-idle-") as directory, _idle_daemon(Path(directory)) as pid:
            seen = watch(pid, seconds=given.seconds)
    if given.json:
        print(json.dumps(asdict(seen) | {"claim_rss_bytes": CLAIM_RSS_BYTES, "claim_cpu_share": CLAIM_CPU_SHARE}))
    else:
        print(f"{seen.rss_bytes / 2**20:.1f} MiB resident, {100 * seen.cpu_share:.2f} % of a core")
    return 0 if seen.rss_bytes <= CLAIM_RSS_BYTES and seen.cpu_share < CLAIM_CPU_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
