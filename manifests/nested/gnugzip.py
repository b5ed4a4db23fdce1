"""The system's GNU gzip, where there is one: it ends its blocks elsewhere than zlib, and most .gz files are its own.

What it makes of bytes has not changed in decades. It runs as a process, and needs a megabyte.
"""

import os
import select
import subprocess
from functools import cache
from typing import Final

COMMAND: Final = "gzip"
_HEAD_BYTES, _TAIL_BYTES = 10, 8
"""Of what it writes with -n: before and behind the deflate stream (RFC 1952)."""
_READ_BYTES: Final = 2**16


@cache
def is_here() -> bool:
    """Is the system's gzip GNU's? Others, busybox's among them, make other bytes."""
    try:
        done = subprocess.run([COMMAND, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.startswith(b"gzip 1")


class GnuGzip:
    """Compresses a stream at a level, to raw deflate. OSError when the command can't be run."""

    def __init__(self, level: int) -> None:
        self._process = subprocess.Popen(
            [COMMAND, f"-{level}", "-n", "-c"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._input.fileno(), False)
        self._head_left = _HEAD_BYTES
        self._held = b""
        """What may be the tail."""

    def __del__(self) -> None:
        if process := getattr(self, "_process", None):
            process.kill()
            process.wait()
            self._input.close()
            self._output.close()

    def compress(self, data: bytes) -> bytes:
        """What comes out now; too little, and so nobody's stream, when the process has died."""
        left, parts = memoryview(data), list[bytes]()
        while left:
            readable, writable, _ = select.select([self._output], [self._input], [])
            if readable:
                part = self._output.read(_READ_BYTES)
                if not part:
                    break
                parts.append(part)
            if writable:
                try:
                    left = left[self._input.write(left) or 0 :]
                except BrokenPipeError:
                    break
        return self._bare(b"".join(parts))

    def flush(self) -> bytes:
        """The end."""
        self._input.close()
        parts = []
        while part := self._output.read(_READ_BYTES):
            parts.append(part)
        return self._bare(b"".join(parts))

    def _bare(self, part: bytes) -> bytes:
        """Without head and tail."""
        dropped = min(self._head_left, len(part))
        self._head_left -= dropped
        whole = self._held + part[dropped:]
        cut = max(0, len(whole) - _TAIL_BYTES)
        self._held = whole[cut:]
        return whole[:cut]
