"""Unix sockets behind the seam: an address is a path, and the kernel proves which of this machine's users is there.

Whoever may open the socket is an admin: its file's permissions say who that is (0600, so its owner and root).
"""

import errno
import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterable
from typing import Final

import trio

from .network import Buffer, Identity

PATH_BYTES_MAX: Final = 107
"""`sun_path`, less the zero byte."""
RECEIVE_BYTES: Final = 64 * 1024
BACKLOG: Final = 32
_CREDENTIALS = struct.Struct("3i")


class UnixStream:
    """One connection."""

    def __init__(self, stream: trio.SocketStream, address: str, identity: Identity) -> None:
        self._stream = stream
        self.identity = identity
        self.remote_address = address

    def __repr__(self) -> str:
        return f"<UnixStream to {self.identity.node or self.remote_address}>"

    async def handshake(self) -> None:
        """Nothing to wait for: the kernel has said who is there."""

    async def send_all(self, *parts: Buffer) -> None:
        """Send all of them in order."""
        await self._stream.send_all(b"".join(parts))

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What is there, at least one byte; empty at the end."""
        return bytes(await self._stream.receive_some(max_bytes or RECEIVE_BYTES))

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into a buffer; 0 at the end."""
        data = await self._stream.receive_some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def aclose(self) -> None:
        """Close both ways."""
        await self._stream.aclose()


class UnixListener:
    """A listening socket, and its file."""

    def __init__(self, listener: trio.SocketListener, address: str) -> None:
        self._listener, self.address = listener, address

    async def accept(self) -> UnixStream:
        """The next one who dialled."""
        stream = await self._listener.accept()
        packed = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(packed)
        user = _user_name(uid)
        return UnixStream(stream, f"{user} on this machine", Identity(user, role="admin", proven=True))

    async def aclose(self) -> None:
        """Stop listening; the file goes too."""
        await self._listener.aclose()
        _remove(self.address)


class UnixNetwork:
    """`p2pd.world.network.Network` within this machine, by path."""

    url_scheme = "http"

    async def dial(self, address: str) -> UnixStream:
        """Connect to a path; OSError. Who may not open the file can't get this far."""
        return UnixStream(await trio.open_unix_socket(address), address, Identity())

    async def listen(self, address: str, *, strangers: bool = False) -> UnixListener:
        """Listen at a path, in place of what a dead process left there; OSError, also when one is alive."""
        if len(os.fsencode(address)) > PATH_BYTES_MAX:
            raise OSError(f"the path of a socket has at most {PATH_BYTES_MAX} bytes: {address}")
        await _check_unused(address)
        _remove(address)
        listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            await listening.bind(address)
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
        return UnixListener(trio.SocketListener(listening), address)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """There are no certificates here."""
        return ()


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


async def _check_unused(path: str) -> None:
    try:
        stream = await trio.open_unix_socket(path)
    except OSError:
        return
    await stream.aclose()
    raise OSError(errno.EADDRINUSE, f"another process listens at {path}")


def _remove(path: str) -> None:
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
