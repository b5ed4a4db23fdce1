"""What this machine can do at best: blocking sockets, sendfile, the same hash, a file written and synced. No protocol.

    python -m benchmarks.pair.ceiling digests FILE                          one BLAKE3 a line, of each PIECE_BYTES
    python -m benchmarks.pair.ceiling serve FILE PORT                       to each who connects, the whole file
    python -m benchmarks.pair.ceiling fetch HOST PORT DIGESTS DIRECTORY     at a line on standard input

One thread receives, one verifies and writes; both let go of the interpreter while they do.
"""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Final

from blake3 import blake3

PIECE_BYTES: Final = 1024 * 1024
BUFFERS: Final = 8
READY: Final = "ready"


def digests(file: str) -> None:
    """Print what `fetch` is to check."""
    with open(file, "rb") as content:
        while piece := content.read(PIECE_BYTES):
            print(blake3(piece).hexdigest())


def serve(file: str, port: str) -> None:
    """Never returns."""
    with socket.create_server(("", int(port))) as listening, open(file, "rb") as content:
        print(READY, flush=True)
        while True:
            peer, _ = listening.accept()
            with peer:
                peer.sendfile(content)


def fetch(host: str, port: str, expected: str, directory: str) -> None:
    """`<directory>/done` appears when all is verified, written and synced."""
    wanted = Path(expected).read_text().split()
    print(READY, flush=True)
    sys.stdin.readline()
    free, filled = Queue[bytearray](), Queue[tuple[bytearray, int]]()
    for _ in range(BUFFERS):
        free.put(bytearray(PIECE_BYTES))
    out = os.open(Path(directory, "content"), os.O_CREAT | os.O_WRONLY)
    keeper = Thread(target=_keep, args=(out, wanted, free, filled))
    keeper.start()
    with socket.create_connection((host, int(port))) as source:
        for _ in wanted:
            buffer = free.get()
            filled.put((buffer, source.recv_into(buffer, PIECE_BYTES, socket.MSG_WAITALL)))
    keeper.join()
    os.fdatasync(out)
    Path(directory, "done").touch()


def _keep(out: int, wanted: list[str], free: "Queue[bytearray]", filled: "Queue[tuple[bytearray, int]]") -> None:
    for number, digest in enumerate(wanted):
        buffer, count = filled.get()
        piece = memoryview(buffer)[:count]
        if blake3(piece).hexdigest() != digest:
            raise ValueError(f"piece {number} is not what was sent")
        os.pwrite(out, piece, number * PIECE_BYTES)
        free.put(buffer)


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"digests": digests, "serve": serve, "fetch": fetch}
    commands[sys.argv[1]](*sys.argv[2:])
