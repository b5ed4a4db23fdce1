"""What TLS costs: one stream from a process to another, verified and written, in plain TCP and over the fleet's TLS.

    python -m benchmarks.tls [--size 1] [--directory DIRECTORY] [--json]

The streams are the daemon's own, on loopback; the sink receives into its buffers, hashes and writes each MiB in a
worker, as the daemon does. Then, over TLS: what a handshake costs who is dialled, a whole one and one with a ticket,
and what it keeps of a connection that falls idle after a word.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import trio
from blake3 import blake3

from benchmarks import command
from manifests.console import CommandError
from p2pd.world.credentials import Credentials, IdentityFiles
from p2pd.world.network import Network, Stream
from p2pd.world.real import real_world
from p2pd.world.real_network import RealNetwork
from p2pd.world.tls_network import TlsNetwork

from .tracker import certificates

GIB: Final = 2**30
CHUNK_BYTES: Final = 2**20
BLOCK_BYTES: Final = 256 * 1024
HANDSHAKES: Final = 400
IDLE: Final = 500
TLS_OVER_PLAIN_MAX: Final = 2.0
"""Core-seconds of both ends together: trio.SSLStream takes 3."""
IDLE_BYTES_MAX: Final = 45_000
KINDS: Final = ("plain", "tls")
EXAMPLE: Final = "example:\n  python -m benchmarks.tls --directory /dev/shm           without the disk's part"


@dataclass(frozen=True)
class Row:
    """One kind of stream. Core-seconds; `handshake_ms`, `resumed_ms`: of a core, at who is dialled."""

    kind: str
    run: int
    mb_per_s: float
    source_cpu_s_per_gb: float
    sink_cpu_s_per_gb: float
    handshake_ms: float
    resumed_ms: float
    idle_bytes: float
    over_plain: float = 0.0

    @property
    def missed(self) -> tuple[str, ...]:
        """Claims that it does not keep."""
        words = []
        if self.over_plain > TLS_OVER_PLAIN_MAX:
            words.append(f"{self.over_plain:.2f} x plain > {TLS_OVER_PLAIN_MAX:g}")
        if self.idle_bytes > IDLE_BYTES_MAX:
            words.append(f"{self.idle_bytes:.0f} bytes an idle connection > {IDLE_BYTES_MAX}")
        return tuple(words)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"missed": list(self.missed)}


def main() -> int:
    """0 when all claims are kept."""
    if len(sys.argv) > 1 and sys.argv[1] in ROLES:
        trio.run(ROLES[sys.argv[1]], *sys.argv[2:])
        return 0
    made = command.parser("benchmarks.tls", "What TLS costs, beside plain TCP in the same run.", EXAMPLE)
    made.add_argument("--size", type=float, default=1.0, metavar="GiB", help="sent on each stream (default: 1)")
    made.add_argument("--directory", help="where it is written (default: where temporary files are)")
    return command.run("benchmarks.tls", _rows(made.parse_args()), _line, as_json=made.parse_args().json)


def _rows(given: argparse.Namespace) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="p2pbench-", dir=given.directory) as base:
        certificates.make(Path(base, "papers"), 1)
        for run in range(1, given.repeat + 1):
            reference = 0.0
            for kind in KINDS:
                seen = _measure(kind, base, round(given.size * GIB), first=given.first)
                spent = seen["source_cpu_s_per_gb"] + seen["sink_cpu_s_per_gb"]
                reference = reference or spent
                yield Row(kind, run, **seen, over_plain=spent / reference)


def _line(row: Row) -> str:
    line = (
        f"{row.kind:5} {row.mb_per_s:5.0f} MB/s, {row.source_cpu_s_per_gb:.2f} + {row.sink_cpu_s_per_gb:.2f} core-s/GB"
    )
    line += f" ({row.over_plain:.2f} x plain), {row.handshake_ms:.2f} ms to be dialled, {row.resumed_ms:.2f} again"
    return ", ".join((f"{line}, {row.idle_bytes / 1000:.1f} KB idle", *(f"MISSED {words}" for words in row.missed)))


def _measure(kind: str, base: str, size: int, *, first: bool) -> dict[str, float]:
    """A source and a sink as processes; what both say of themselves."""
    source, sink = (_start(role, kind, base, size, first) for role in ("source", "sink"))
    assert source.stdout
    address = source.stdout.readline()
    told, _ = sink.communicate(address)
    said, _ = source.communicate()
    if source.returncode or sink.returncode:
        raise CommandError(f"a process of the {kind} stream failed")
    figures: dict[str, float] = json.loads(told) | json.loads(said)
    return figures


def _start(role: str, kind: str, base: str, size: int, first: bool) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "benchmarks.tls", role, kind, base, str(size)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
    if first:  # the kernel shares cores between sessions first, and each process here is a session of its own
        Path(f"/proc/{process.pid}/autogroup").write_text("-20")
    return process


def _network(kind: str, base: str, name: str) -> Network:
    if kind == "plain":
        return RealNetwork()
    papers = f"{base}/papers/{name}.pem"
    return TlsNetwork(Credentials(IdentityFiles(f"{base}/papers/root.pem", papers, papers)), time.time)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def source(kind: str, base: str, size: str) -> None:
    """Is dialled: sends it all once, then only shakes hands. Its figures on standard output at the end."""
    listener = await _network(kind, base, certificates.TRACKER).listen("127.0.0.1:0")
    print(listener.address, flush=True)
    stream = await _next(listener.accept)
    block, began = memoryview(os.urandom(BLOCK_BYTES)), _cpu_s()
    for _ in range(int(size) // BLOCK_BYTES):
        await stream.send_all(b"as many bytes as a head", block)
    bulk_s = _cpu_s() - began
    await stream.receive_some()
    spent_ms = []
    for _ in range(2):
        began = _cpu_s()
        for _ in range(HANDSHAKES):
            guest = await _next(listener.accept)
            await guest.send_all(b"welcome")
            await guest.receive_some()
            await guest.aclose()
        spent_ms.append(1000 * (_cpu_s() - began) / HANDSHAKES)
    before = _rss_bytes()
    guests = []
    for _ in range(IDLE):
        guests.append(await _next(listener.accept))
        await guests[-1].receive_some()
    idle_bytes = (_rss_bytes() - before) / IDLE
    for one in (*guests, stream):
        await one.aclose()
    await listener.aclose()
    print(json.dumps({"source_cpu_s_per_gb": bulk_s / int(size) * 1e9, "handshake_ms": spent_ms[0],
                      "resumed_ms": spent_ms[1], "idle_bytes": idle_bytes}))  # fmt: skip


async def _next(accept: Any) -> Stream:
    stream: Stream = await accept()
    await stream.handshake()
    return stream


async def sink(kind: str, base: str, size: str) -> None:
    """Dials the address on standard input: verifies and writes what comes, then shakes hands many times."""
    network, world = _network(kind, base, "0"), real_world()
    address = sys.stdin.readline().strip()
    stream = await network.dial(address)
    descriptor = os.open(f"{base}/sink", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    began, cpu_s, length = time.monotonic(), _cpu_s(), int(size) // BLOCK_BYTES * (BLOCK_BYTES + 23)

    def keep(data: bytearray, offset: int) -> None:
        blake3(data).digest()
        os.pwrite(descriptor, data, offset)

    async with trio.open_nursery() as nursery:
        for offset in range(0, length, CHUNK_BYTES):
            chunk, got = bytearray(min(CHUNK_BYTES, length - offset)), 0
            while got < len(chunk):
                got += await stream.receive_into(memoryview(chunk)[got:])
            nursery.start_soon(world.run_blocking, keep, chunk, offset)
    seconds, cpu_s = time.monotonic() - began, _cpu_s() - cpu_s
    os.close(descriptor)
    await stream.send_all(b"all")
    for again in (False, True):
        for _ in range(HANDSHAKES):
            if isinstance(network, TlsNetwork) and not again:
                network.forget_sessions()
            guest = await network.dial(address)
            await guest.receive_some()
            await guest.aclose()
    guests = []
    for _ in range(IDLE):
        guests.append(await network.dial(address))
        await guests[-1].send_all(b"here")
    for one in guests:
        await one.receive_some()
        await one.aclose()
    await stream.aclose()
    print(json.dumps({"mb_per_s": length / seconds / 1e6, "sink_cpu_s_per_gb": cpu_s / length * 1e9}))


ROLES: Final[dict[str, Callable[..., Awaitable[None]]]] = {"source": source, "sink": sink}

if __name__ == "__main__":
    sys.exit(main())
