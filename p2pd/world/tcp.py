"""A TCP connection in trio's hands, as thin as can be: what both the plain and the encrypted streams stand on.

Each call tries at once and waits only if it must, which halves the wake-ups of trio's own stream; and between a
successful try and its caller's next line nobody else runs, so that all connections of a network can share one buffer
for what they receive.
"""

import errno
import math
import os
import select
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import trio

from p2pd.policy.yielding import Transit

from . import tcp_info
from .address import join_address, split_address

if TYPE_CHECKING:
    from .network import Buffer, Stream

DIAL_TIMEOUT_S: Final = 5.0
"""Three SYNs (0, 1 and 3 s) have gone unanswered by then."""
UNSENT_BYTES_MIN: Final = 16 * 1024
UNSENT_BYTES_MAX: Final = 1024 * 1024
UNSENT_BYTES_AT_FIRST: Final = 64 * 1024
UNSENT_S: Final = 0.04
"""Not yet sent bytes in the kernel at which a sender waits: so much time of what this connection carries. Whatever else
is to be said waits behind them, and on a slow uplink there are as many such queues as connections."""
MEASURED_S: Final = 0.25
"""So long a connection must have been sending before its rate is known."""
LEAST_BYTES_MAX: Final = 256 * 1024
"""Nobody waits for more at once. A peer's packets come in twos and sixes; a wake-up for each costs more than they."""
PARTS_MAX: Final = 64
"""In one system call; any number below the kernel's own limit of 1024 would do."""
TURN_S: Final = 0.001
"""A task that finds room for all that it sends lets the others run this often, not each time: a round of the loop costs
more than sealing 256 KiB."""
REST_S: Final = 0.005
"""Who sent nothing for so long has waited meanwhile, and the others have run: its turn begins anew."""
BACKLOG: Final = 1024
SAME: Final = 1.1
"""Too little of a difference for another system call."""
ACCEPT_PAUSE_S: Final = 0.1
"""Rest when there is no descriptor or memory for another connection; meanwhile others may end."""
_LOWAT: Final[int | None] = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_MORE: Final[int] = getattr(socket, "MSG_MORE", 0)
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class TcpSocket:
    """One connection. trio's errors: BrokenResourceError (they went), ClosedResourceError (we closed)."""

    def __init__(self, connection: socket.socket, remote_address: str = "") -> None:
        self.remote_address = remote_address or _remote_address(connection)
        lowat = _LOWAT if connection.family != socket.AF_UNIX else None
        if lowat is not None:
            connection.setsockopt(socket.IPPROTO_TCP, lowat, UNSENT_BYTES_AT_FIRST)
        self._socket = connection
        self._socket.setblocking(False)
        self._sending = self._held_back = False
        self._turn_since = self._sent_at = -math.inf
        self._least = 1
        self._unsent = UNSENT_BYTES_AT_FIRST if lowat is not None else 0
        self._sent_bytes, self._sending_s = 0, 0.0
        self._pace_per_s = 0.0

    def __repr__(self) -> str:
        return f"<TcpSocket to {self.remote_address}>"

    def try_receive(self, buffer: bytearray | memoryview, bytes_max: int = 0) -> int | None:
        """Bytes that are there, into the beginning of the buffer: how many, 0 at the end, None when none came yet."""
        try:
            return self._socket.recv_into(buffer, bytes_max)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._translated(error) from error

    def has_ended(self) -> bool:
        """Whether they hung up or are gone, also while there is still something to read of them."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    async def wait_readable(self, least: int = 1) -> None:
        """Until `try_receive` has something to say: so many bytes, if that is not too much, or the end."""
        if self._held_back:
            self._let_go()
        least = max(1, min(least, LEAST_BYTES_MAX))
        if least != self._least and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._least = least
        await trio.lowlevel.wait_readable(self._socket)

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """What is there, at least one byte, 0 at the end; a checkpoint."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if (count := self.try_receive(buffer)) is not None:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return count
        while count is None:
            await self.wait_readable(least)
            count = self.try_receive(buffer)
        return count

    def try_send(self, data: "Buffer") -> int:
        """Send what the kernel takes at once: how many bytes."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._translated(error) from error

    async def send_all(self, parts: "Sequence[Buffer]", *, more: bool = False) -> None:
        """Send all of them in order. `more`: let them wait for what is sent next, 0.2 s at most; they go before we wait
        for an answer."""
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        self._sending = True
        began = trio.current_time()
        if began - self._sent_at >= REST_S:
            self._turn_since = began
        try:
            views = [memoryview(part).cast("B") for part in parts]
            self._sent_bytes += sum(map(len, views))
            self._held_back = more and self._unsent > 0
            waited = await self._send_all(views, _MORE if self._held_back else 0)
        finally:
            self._sending = False
            now = self._sent_at = trio.current_time()
            self._sending_s += now - began
        if waited:
            self._turn_since = now
        elif now - self._turn_since >= TURN_S:
            self._turn_since = now
            await trio.lowlevel.cancel_shielded_checkpoint()
        if self._sending_s >= MEASURED_S and self._unsent:
            self._leave_unsent(self._sent_bytes / self._sending_s)

    def _leave_unsent(self, rate_bytes_per_s: float) -> None:
        """Let the kernel hold as much as it sends in a moment, at this rate."""
        self._sent_bytes, self._sending_s = 0, 0.0
        unsent = round(max(UNSENT_BYTES_MIN, min(UNSENT_BYTES_MAX, UNSENT_S * rate_bytes_per_s)))
        if _LOWAT and not self._unsent / 1.5 < unsent < self._unsent * 1.5 and self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.IPPROTO_TCP, _LOWAT, unsent)
            self._unsent = unsent

    async def _send_all(self, views: list[memoryview], flags: int) -> bool:
        """True if it had to wait."""
        await trio.lowlevel.checkpoint_if_cancelled()
        waited, first = False, 0
        while first < len(views):
            try:
                count = self._socket.sendmsg(views[first : first + PARTS_MAX], (), flags)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
                waited = True
                continue
            except OSError as error:
                raise self._translated(error) from error
            while first < len(views) and count >= len(views[first]):
                count -= len(views[first])
                first += 1
            if count:
                views[first] = views[first][count:]
        return waited

    def _let_go(self) -> None:
        self._held_back = False
        if self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # sends what waits, too

    def transit(self) -> Transit | None:
        """How it fares on its way."""
        return tcp_info.transit(self._socket, self.remote_address)

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Be gentle, and send no faster than that."""
        if not self._pace_per_s:
            tcp_info.be_gentle(self._socket)
        if not self._pace_per_s / SAME < upload_bytes_per_s < self._pace_per_s * SAME:
            self._pace_per_s = upload_bytes_per_s
            tcp_info.pace(self._socket, upload_bytes_per_s)

    def close(self) -> None:
        """Close both ways; whoever waits here finds it closed."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    def _translated(self, error: OSError) -> Exception:
        if error.errno == errno.EBADF:
            return trio.ClosedResourceError("this connection was closed")
        return trio.BrokenResourceError(f"{self.remote_address}: {error.strerror or error}")


@runtime_checkable
class Adopting(Protocol):
    """A network that makes streams of its own kind out of connections that came about elsewhere."""

    def adopt(self, socket: TcpSocket, dialled: bool) -> "Stream":
        """`dialled`: it was us who began. The handshake is not done yet."""
        ...


async def dial(address: str) -> TcpSocket:
    """Connect to `host:port`, names resolved and both address families tried; OSError when nobody is there, or nobody
    answers within DIAL_TIMEOUT_S."""
    host, port = _split(address)
    family = _family(host)
    with trio.move_on_after(DIAL_TIMEOUT_S):
        if family is None:
            return TcpSocket(detached(await trio.open_tcp_stream(host, port)))
        return TcpSocket(await _connect(family, host, port))
    raise OSError(errno.ETIMEDOUT, f"{address} did not answer within {DIAL_TIMEOUT_S:g} s")


async def _connect(family: int, host: str, port: int) -> socket.socket:
    """To one address, without the tasks that trio has for several."""
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = connection.connect_ex((host, port))
        if error in (0, errno.EINPROGRESS):
            await trio.lowlevel.wait_writable(connection)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, f"{join_address(host, port)}: {os.strerror(error)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _family(host: str) -> int | None:
    """Of an address; None of a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None


def detached(stream: trio.SocketStream) -> socket.socket:
    """Its socket, out of trio's hands."""
    return socket.socket(fileno=stream.socket.detach())


async def listen(address: str) -> trio.SocketListener:
    """Listen at `host:port` (port 0: any free one); OSError when taken. Of a name's addresses, the first."""
    host, port = _split(address)
    first, *others = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
    for listener in others:
        await listener.aclose()
    return first


async def accept(listener: trio.SocketListener) -> TcpSocket:
    """The next one who dialled. Waits while descriptors or memory are exhausted."""
    while True:
        try:
            return TcpSocket(detached(await listener.accept()))
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
        await trio.sleep(ACCEPT_PAUSE_S)


def bound_address(listener: trio.SocketListener) -> str:
    """`host:port` where it listens."""
    host, port = listener.socket.getsockname()[:2]
    return join_address(host, port)


def _split(address: str) -> tuple[str, int]:
    """An address from a peer or tracker may be anything: to the caller that is one more that can't be reached."""
    try:
        return split_address(address)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error


def _remote_address(connection: socket.socket) -> str:
    try:
        host, port = connection.getpeername()[:2]
    except OSError:
        return "a peer that is gone"
    return join_address(host, port)
