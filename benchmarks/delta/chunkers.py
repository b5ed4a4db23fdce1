"""The chunkers that others ship updates with: casync and zchunk."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from .corpus import Files
from .measuring import run
from .opponents import Result, same
from .tools import Tools

CASYNC_CHUNK_BYTES: Final = 64 * 1024
_BOUNDARY: Final = "a-part-follows"


def casync(files: Files, tools: Tools, directory: Path) -> Result:
    """casync with 64 KiB chunks, the old file as seed: the index, and each chunk that the old file lacks."""
    tool, environment, size = tools.find("casync"), tools.environment, f"--chunk-size={CASYNC_CHUNK_BYTES}"
    stores = [directory / name for name in ("old.castr", "new.castr")]
    indexes = [directory / name for name in ("old.caibx", "new.caibx")]
    costs = [
        run([tool, "make", size, f"--store={store}", index, file], environment=environment)
        for store, index, file in zip(stores, indexes, (files.old, files.new), strict=True)
    ]
    known, wanted = ({path.name: path.stat().st_size for path in store.rglob("*.cacnk")} for store in stores)
    missing = [count for name, count in wanted.items() if name not in known]
    made = directory / "made"
    seed = ["--seed-output=no", f"--seed={files.old}", f"--store={stores[1]}", size]
    apply = run([tool, "extract", *seed, indexes[1], made], environment=environment)
    index_bytes = indexes[1].stat().st_size
    total = sum(missing) + index_bytes
    return Result(
        "casync 64K", total, len(missing) + 1, costs[1], apply, same(made, files.new), manifest_bytes=index_bytes
    )


def zchunk(files: Files, tools: Tools, directory: Path) -> Result:
    """zchunk as Debian has it: zckdl fetches from a server what the old file lacks, in ranges."""
    environment = tools.environment | {"no_proxy": "*", "NO_PROXY": "*"}
    served = directory / "served"
    served.mkdir()
    old, new = directory / "old.zck", served / "new.zck"
    run([tools.find("zck"), "-o", old, files.old], environment=environment)
    publish = run([tools.find("zck"), "-o", new, files.new], environment=environment)
    with _serving(served) as door:
        fetched = run(
            [tools.find("zckdl"), "-q", "-s", old, f"{door.url}/new.zck"], directory=directory, environment=environment
        )
    apply = fetched + run([tools.find("unzck"), directory / "new.zck"], directory=directory, environment=environment)
    return Result("zchunk", door.sent_bytes, door.requests, publish, apply, same(directory / "new", files.new))


@dataclass
class _Door:
    """A server of ranges on loopback, and what left through it: bodies only, for all ways have headers."""

    url: str = ""
    requests: int = 0
    sent_bytes: int = 0


@contextmanager
def _serving(directory: Path) -> Iterator[_Door]:
    door = _Door()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory, door)) as server:
        door.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield door
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, directory: Path, door: _Door, *details: object) -> None:
        self._directory, self._door = directory, door
        super().__init__(*details)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        data = (self._directory / self.path.lstrip("/")).read_bytes()
        ranges = _ranges(self.headers.get("Range", ""), len(data))
        kind, body = "application/octet-stream", data
        if len(ranges) == 1:
            body = data[ranges[0].start : ranges[0].stop]
        elif ranges:
            kind = f"multipart/byteranges; boundary={_BOUNDARY}"
            parts = [_part(one, data) for one in ranges]
            body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
        self.send_response(206 if ranges else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if len(ranges) == 1:
            self.send_header("Content-Range", f"bytes {ranges[0].start}-{ranges[0].stop - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(body)
        self._door.requests += 1
        self._door.sent_bytes += len(body)

    def log_message(self, template: str, *words: object) -> None:
        """Nobody reads it."""


def _ranges(header: str, size: int) -> list[range]:
    if not header.startswith("bytes="):
        return []
    found = []
    for part in header.removeprefix("bytes=").split(","):
        first, _, last = part.strip().partition("-")
        found.append(range(int(first), min(size, int(last) + 1 if last else size)))
    return found


def _part(one: range, data: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: application/octet-stream\r\n"
    head += f"Content-Range: bytes {one.start}-{one.stop - 1}/{len(data)}\r\n\r\n"
    return head.encode() + data[one.start : one.stop] + b"\r\n"
