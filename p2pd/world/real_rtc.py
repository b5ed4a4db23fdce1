"""WebRTC data channels by aiortc, for peers that can't dial each other.

A last resort: its SCTP is written in Python, so a core brings about 25 MB/s where plain TCP brings 1,000. Loaded when
first used (it costs 60 MB).

aiortc wants asyncio, so it lives in a thread with a loop of its own. Each channel is joined there to one end of a pair
of local sockets; the other end is a connection like any other, in trio's hands. So our own TLS runs through
the channel too, and a peer proves who it is as everywhere else.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any, Final, TypeVar

import trio
import uvloop
from aiortc import RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescription

from .network import Stream
from .rtc_socket import RtcSocket
from .tcp import TcpSocket

T = TypeVar("T")
MESSAGE_BYTES: Final = 64 * 1024
"""Best throughput measured; the standard's limit is 256 KiB."""
BUFFERED_BYTES: Final = 1024 * 1024
"""`send` never blocks: so much may wait in a channel before we wait."""
BUFFERED_BYTES_MIN: Final = 16 * 1024
BUFFERED_S: Final = 0.1
"""In the background: what waits leaves late after others have come, and keeps our own requests."""
UNREAD_BYTES_MAX: Final = 64 * 1024 * 1024
"""Nor can a sender be held back: whoever sends more than was asked for loses the channel."""
OPEN_S: Final = 20.0
"""From the second letter to an open channel: a few rounds of tries between all pairs of addresses."""
LETTERS_S: Final = 10.0
"""Finding our own addresses; a STUN server that does not answer takes half of that."""
CONNECTIONS_MAX: Final = 16

Adopt = Callable[[TcpSocket, bool], Stream]
"""Makes a stream of a connection; True: we began it."""


class RealRtc:
    """`p2pd.world.rtc.Rtc`. `stun`: `host:port` of servers that tell us our addresses outside ('': none)."""

    def __init__(self, adopt: Adopt, stun: tuple[str, ...] = ()) -> None:
        self._adopt = adopt
        servers = [RTCIceServer(urls=f"stun:{address}") for address in stun]
        self._configuration = RTCConfiguration(iceServers=servers)  # never the library's own public default
        self._loop = uvloop.new_event_loop()  # twice as fast here
        threading.Thread(target=self._loop.run_forever, name="webrtc", daemon=True).start()
        self._channels = 0
        self._numbers = count(1)

    def __repr__(self) -> str:
        return f"<RealRtc {self._channels} channels>"

    async def offer(self) -> "_Offer":
        """Begin."""
        side = self._side()
        return _Offer(self, side, await self._run(side.offer(), LETTERS_S, side))

    async def reply(self, letter: bytes) -> "_Reply":
        """To somebody's offer."""
        side = self._side()
        return _Reply(self, side, await self._run(side.answer(letter), LETTERS_S, side))

    def _side(self) -> "_Side":
        if self._channels >= CONNECTIONS_MAX:
            raise OSError(f"{CONNECTIONS_MAX} WebRTC channels are open already")
        self._channels += 1
        return _Side(self._configuration, self._ended)

    def _ended(self) -> None:
        self._channels -= 1

    async def open(self, side: "_Side", *, dialled: bool) -> Stream:
        """The stream, once the channel is open."""
        ours, joint = await self._run(side.opened(), OPEN_S, side)
        local = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        stream = self._adopt(RtcSocket(local, joint, next(self._numbers)), dialled)
        if dialled:
            try:
                await stream.handshake()
            except trio.BrokenResourceError as error:
                raise OSError(str(error)) from error
        return stream

    def drop(self, side: "_Side") -> None:
        """Close it, in its own time."""
        asyncio.run_coroutine_threadsafe(side.close(), self._loop)

    async def _run(self, work: Coroutine[Any, Any, T], timeout_s: float, side: "_Side") -> T:
        """In the loop's thread. OSError for whatever goes wrong there; the side is closed then."""
        ended = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def tell(_: object) -> None:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(ended.set)

        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        future.add_done_callback(tell)
        well = False
        try:
            with trio.fail_after(timeout_s):
                await ended.wait()
            result = future.result()
            well = True
        except trio.TooSlowError:
            raise OSError(f"WebRTC: nothing came of it within {timeout_s:g} s") from None
        except OSError:
            raise
        except Exception as error:  # aiortc raises whatever its parsers do for a letter that is none
            raise OSError(f"WebRTC: {error!r}") from error
        finally:
            if not well:
                future.cancel()
                self.drop(side)
        return result


class _Offer:
    def __init__(self, rtc: RealRtc, side: "_Side", letter: bytes) -> None:
        self._rtc, self._side, self.letter = rtc, side, letter

    async def connect(self, answer: bytes) -> Stream:
        await self._rtc._run(self._side.accept(answer), LETTERS_S, self._side)
        return await self._rtc.open(self._side, dialled=True)

    async def aclose(self) -> None:
        self._rtc.drop(self._side)
        await trio.lowlevel.checkpoint()


class _Reply:
    def __init__(self, rtc: RealRtc, side: "_Side", letter: bytes) -> None:
        self._rtc, self._side, self.letter = rtc, side, letter

    async def connect(self) -> Stream:
        return await self._rtc.open(self._side, dialled=False)


class _Side:
    """One end of a peer connection, in the loop's thread."""

    def __init__(self, configuration: RTCConfiguration, ended: Callable[[], None]) -> None:
        self._configuration, self._ended = configuration, ended
        self._pc: RTCPeerConnection | None = None
        self._opened: asyncio.Future[tuple[socket.socket, _Joint]] | None = None
        self._closed = False

    def _begin(self) -> RTCPeerConnection:
        pc = self._pc = RTCPeerConnection(self._configuration)
        self._opened = asyncio.get_running_loop().create_future()

        async def on_state() -> None:
            if pc.connectionState in ("failed", "closed"):
                await self.close()

        pc.on("connectionstatechange", on_state)
        return pc

    async def offer(self) -> bytes:
        pc = self._begin()
        channel = pc.createDataChannel("p2p")
        channel.on("open", lambda: self._join(channel))
        await pc.setLocalDescription(await pc.createOffer())
        return str(pc.localDescription.sdp).encode()

    async def answer(self, letter: bytes) -> bytes:
        pc = self._begin()
        pc.on("datachannel", self._join)
        await pc.setRemoteDescription(RTCSessionDescription(letter.decode(), "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        return str(pc.localDescription.sdp).encode()

    async def accept(self, letter: bytes) -> None:
        if self._pc is None:
            raise OSError("WebRTC: closed")
        await self._pc.setRemoteDescription(RTCSessionDescription(letter.decode(), "answer"))

    async def opened(self) -> "tuple[socket.socket, _Joint]":
        if self._opened is None:
            raise OSError("WebRTC: closed")
        return await self._opened

    def _join(self, channel: RTCDataChannel) -> None:
        """The channel is open: join it to a local socket, whose other end is ours."""
        if self._opened is None or self._opened.done():
            return
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        joint = _Joint(channel, theirs)
        self._opened.set_result((ours, joint))
        self._running = asyncio.ensure_future(joint.run(self.close))

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._ended()
            if self._opened is not None and not self._opened.done():
                self._opened.set_exception(OSError("WebRTC: no way to them was found"))
                self._opened.exception()  # seen, also when nobody waits
            if self._pc is not None:
                await self._pc.close()


class _Joint:
    """Carries bytes between a channel and a local socket until either ends."""

    def __init__(self, channel: RTCDataChannel, local: socket.socket) -> None:
        self._channel, self._local = channel, local
        self._unread = bytearray()
        self._arrived, self._drained = asyncio.Event(), asyncio.Event()
        self._over = False
        self._buffered_bytes = BUFFERED_BYTES
        channel.on("message", self._on_message)
        channel.on("bufferedamountlow", self._drained.set)
        channel.on("close", self._on_close)

    def fares(self) -> tuple[float | None, int]:
        """From any thread. aiortc knows what `RtcSocket` asks for, and has no public name for it."""
        return self._channel.transport._srtt, self._channel.transport._last_sacked_tsn

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """From any thread."""
        self._buffered_bytes = round(max(BUFFERED_BYTES_MIN, min(BUFFERED_BYTES, BUFFERED_S * upload_bytes_per_s)))

    async def run(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        tasks = [asyncio.ensure_future(self._outwards()), asyncio.ensure_future(self._inwards())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._local.close()
            await close()

    def _on_message(self, message: bytes | str) -> None:
        if isinstance(message, str) or len(self._unread) + len(message) > UNREAD_BYTES_MAX:
            self._on_close()
            return
        self._unread += message
        self._arrived.set()

    def _on_close(self) -> None:
        self._over = True
        self._arrived.set()
        self._drained.set()

    async def _outwards(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._local, min(MESSAGE_BYTES, self._buffered_bytes)):
            while self._channel.bufferedAmount > self._buffered_bytes:
                self._channel.bufferedAmountLowThreshold = self._buffered_bytes // 2
                self._drained.clear()
                await self._drained.wait()
            if self._over:
                return
            self._channel.send(data)
        self._channel.bufferedAmountLowThreshold = 0  # what was sent before the end still leaves
        while self._channel.bufferedAmount and not self._over:
            self._drained.clear()
            await self._drained.wait()

    async def _inwards(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._unread:
                if self._over:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            data, self._unread = self._unread, bytearray()
            await loop.sock_sendall(self._local, data)
