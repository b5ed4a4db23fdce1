"""A TLS connection behind the seam: the pump on one side, the socket on the other."""

import math
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from p2pd.identity.certificate import Certificate
from p2pd.policy.yielding import Transit

from .network import Buffer, Identity
from .sealed import SealedFrames
from .tcp import TURN_S, TcpSocket
from .tls_pump import RECORD_BYTES, TlsError, TlsPump

Pump = TlsPump | SealedFrames
"""What seals and opens after the handshake."""
RECEIVE_BYTES: Final = 288 * 1024
"""Taken from the kernel at once: a whole block with what TLS adds to it. A system call costs less than its share of the
copy from a fraction of that on."""
PATIENT_BYTES: Final = 4 * 1024
"""Lacking so much, one does not look before the kernel says that it is there."""
SEAL_BYTES: Final = 2 * 1024
"""What TLS adds to so much, at most, and a little more."""
SEND_BYTES: Final = 256 * 1024
"""Sealed and sent at once."""
KEY_BYTES_MAX: Final = 2**38
"""Sealed under one key at most: AES-GCM allows 2**24.5 records (RFC 8446, 5.5), and OpenSSL does not count them."""
_NOTHING: Final = memoryview(b"")


class Scratch:
    """Room for what arrives, shared by all connections of a network, so that an idle one needs none of its own. What
    is not whole yet waits here for what comes behind it, until another connection needs the room."""

    def __init__(self) -> None:
        self._room = bytearray(2 * RECEIVE_BYTES)
        self._sealed = memoryview(self._room)
        self._begin = self._end = 0
        self._user: Pump | None = None
        self.plain = memoryview(bytearray(RECEIVE_BYTES))

    def space(self, pump: Pump, wanted: int = RECEIVE_BYTES) -> memoryview:
        """Where the next bytes for this pump belong: behind its rest, of which `wanted` more make no frame."""
        if self._user is not pump:
            if self._user is not None:
                self._user.keep_rest()
            self._user = pump
        waiting, end = len(pump.rest), self._end
        if not waiting:
            end = 0
        elif pump.rest.obj is not self._room or len(self._sealed) - end < wanted:
            self._sealed[:waiting] = pump.rest
            end = waiting
            pump.rest = self._sealed[:waiting]
        self._begin, self._end = end - waiting, end
        return self._sealed[end : end + wanted]

    def received(self, count: int) -> memoryview:
        """So many bytes were put there: they, and the rest before them."""
        self._end += count
        return self._sealed[self._begin : self._end]


class TlsStream:
    """One connection. `open_up` does its handshake; `certificate` is theirs afterwards, None for a stranger's."""

    def __init__(self, socket: TcpSocket, scratch: Scratch, open_up: Callable[["TlsStream"], Awaitable[Pump]]) -> None:
        self.socket = socket
        self.identity = Identity()
        self.certificate: Certificate | None = None
        self.remote_address = socket.remote_address
        self._scratch, self._open_up = scratch, open_up
        self.ticket_came: Callable[[], None] | None = None
        """Called once, when they have said something: tickets come before that."""
        self._pump: Pump | None = None
        self._more = True
        """There may be plain bytes that were not asked for yet."""
        self._drained = False
        """There was nothing left to receive when it last received."""
        self._turn_since = -math.inf
        self._sending = self._torn = False
        self._broken_because = ""

    def __repr__(self) -> str:
        return f"<TlsStream to {self.identity.node or 'nobody yet'} at {self.remote_address}>"

    @property
    def pump(self) -> Pump:
        """RuntimeError before the handshake."""
        if self._pump is None:
            raise RuntimeError("first the handshake")
        return self._pump

    async def handshake(self) -> None:
        """Prove to each other who both are; BrokenResourceError when that fails. A second one does nothing."""
        if self._pump is None:
            self._pump = await self._open_up(self)

    async def send_all(self, *parts: Buffer) -> None:
        """Seal and send all of them; returns when the kernel took them."""
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        if self._torn:
            raise trio.BrokenResourceError("an earlier message left it in part")
        if self.pump.sealed_bytes > KEY_BYTES_MAX:
            raise trio.BrokenResourceError("its key was used for long enough: dial again")
        self._sending = self._torn = True
        try:
            await self._send(parts)
            self._torn = False
        except trio.ClosedResourceError:
            raise self._closed() from None
        except TlsError as error:
            raise trio.BrokenResourceError(f"{self.remote_address}: {error}") from error
        finally:
            self._sending = False

    async def _send(self, parts: tuple[Buffer, ...]) -> None:
        pump, sealed, waiting_bytes = self.pump, list[bytes](), 0
        for part in parts:
            view = memoryview(part).cast("B")
            for start in range(0, len(view), SEND_BYTES):
                run = view[start : start + SEND_BYTES]
                sealed += pump.seal(run)
                waiting_bytes += len(run)
                if waiting_bytes >= SEND_BYTES:
                    await self.socket.send_all(sealed)
                    sealed, waiting_bytes = [], 0
        await self.socket.send_all(sealed)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What is there, at least one byte; empty at their goodbye."""
        plain = self._scratch.plain[:max_bytes]
        await trio.lowlevel.checkpoint_if_cancelled()
        if (count := self._try_receive(plain)) is None:
            return bytes(plain[: await self._wait_and_receive(plain)])
        data = bytes(plain[:count])
        await trio.lowlevel.cancel_shielded_checkpoint()
        return data

    async def receive_into(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """The same into a buffer; 0 at their goodbye.

        Who lacks much waits first: what a first try would find is a part of it, and costs as much to take as all. And
        who has just taken all that was there: a first try would find nothing.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        pump = self.pump
        patient = not (self._more or pump.ended) and (self._drained or pump.lacking(least) >= PATIENT_BYTES)
        if patient or (count := self._try_receive(buffer)) is None:
            return await self._wait_and_receive(buffer, least)
        if (now := trio.current_time()) - self._turn_since >= TURN_S:
            self._turn_since = now
            await trio.lowlevel.cancel_shielded_checkpoint()
        return count

    async def _wait_and_receive(self, buffer: bytearray | memoryview, least: int = 1) -> int:
        """No checkpoint between the last try and the return. A part of a record may have come already."""
        pump, count = self.pump, None
        while count is None:
            try:
                await self.socket.wait_readable(pump.lacking(least))
            except trio.ClosedResourceError:
                raise self._closed() from None
            count = self._try_receive(buffer)
        self._turn_since = trio.current_time()
        return count

    def _try_receive(self, buffer: bytearray | memoryview) -> int | None:
        """Plain bytes into the buffer: how many, 0 at the end, None when none are there yet."""
        pump = self.pump
        try:
            arrived = _NOTHING
            while True:
                if self._more or arrived:
                    count = pump.open(arrived, buffer)
                    self._more = count == len(buffer) or pump.more
                    if count and self.ticket_came is not None:
                        self.ticket_came()
                        self.ticket_came = None
                    if count or pump.ended:
                        return count
                if pump.ended:
                    return 0
                room = RECEIVE_BYTES
                if not pump.leaves_rest:
                    room = max(RECORD_BYTES, min(len(buffer) + SEAL_BYTES, RECEIVE_BYTES))
                received = self.socket.try_receive(self._scratch.space(pump, room))
                self._drained = received is None or received < room
                if received is None:
                    return None
                if received == 0:
                    pump.end_of_stream()
                    return 0
                arrived = self._scratch.received(received)
        except TlsError as error:
            self._torn = True
            self._say_last_words(pump.outgoing())
            raise trio.BrokenResourceError(f"{self.remote_address}: {error}") from error
        except trio.ClosedResourceError:
            raise self._closed() from None

    def transit(self) -> Transit | None:
        """How it fares on its way."""
        return self.socket.transit()

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Be gentle, and send no faster than that."""
        self.socket.hold_to(upload_bytes_per_s)

    def break_off(self, reason: str) -> None:
        """Both ends find it broken; ours says why."""
        self._broken_because = reason
        self.socket.close()

    async def aclose(self) -> None:
        """Say goodbye if that is possible at once, and close both ways."""
        if self._pump is not None and not self._torn:
            self._torn = True
            self._say_last_words(self._pump.close())
        self.socket.close()
        await trio.lowlevel.checkpoint()

    def _say_last_words(self, sealed: bytes) -> None:
        try:
            self.socket.try_send(sealed)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # nobody is there to hear them

    def _closed(self) -> Exception:
        if self._broken_because:
            return trio.BrokenResourceError(f"{self.remote_address}: {self._broken_because}")
        return trio.ClosedResourceError("this connection was closed")


async def shake_hands(socket: TcpSocket, pump: TlsPump, scratch: Scratch, patience_s: float = math.inf) -> None:
    """From the first byte to the last of a handshake; BrokenResourceError. The caller bounds its time; TooSlowError
    when they let us wait for longer than `patience_s`, all in all: what others keep us from is not their fault.

    The last words go with the first ones of whoever speaks next: one packet and one wake-up less at the other end."""
    try:
        over = pump.step()
        while True:
            if words := pump.outgoing():
                await socket.send_all([words], more=over)
            if over:
                return
            while (count := socket.try_receive(scratch.space(pump))) is None:
                patience_s = await _wait_readable(socket, patience_s)
            if not count:
                raise TlsError("it hung up during the handshake")
            over = pump.step(scratch.received(count))
    except TlsError as error:
        words = pump.outgoing()
        if words:
            socket.try_send(words)
        raise trio.BrokenResourceError(f"{socket.remote_address}: {error}") from error


async def _wait_readable(socket: TcpSocket, patience_s: float) -> float:
    """What is left of the patience; TooSlowError."""
    if patience_s == math.inf:
        await socket.wait_readable()
        return patience_s
    began = trio.current_time()
    with trio.fail_after(max(0.0, patience_s)):
        await socket.wait_readable()
    return patience_s - (trio.current_time() - began)
