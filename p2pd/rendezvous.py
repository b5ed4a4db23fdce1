"""Streams to peers that can't be dialled: two letters through the tracker, then a WebRTC channel.

we        Signal(node, number, offer)   -> tracker -> them
them      Signal(us, number, answer)    -> tracker -> us        and both try all pairs of their addresses
"""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final, NoReturn

import trio

from p2pd.wire.announce import Signal
from p2pd.world.network import Stream
from p2pd.world.rtc import Rtc

ANSWER_S: Final = 5.0
"""For a letter there, what they need to find their addresses, and one back."""
REPLIES_MAX: Final = 8
"""Offers that are being answered; more are ignored: whoever meant it tries again."""


class Rendezvous:
    """`load` makes the Rtc when it is first needed. `send` hands a letter to the tracker; `accept` is given the streams
    of those who wrote to us, and talks with them."""

    def __init__(
        self, load: Callable[[], Rtc], send: Callable[[Signal], None], accept: Callable[[Stream], Awaitable[object]]
    ) -> None:
        self._load, self._send, self._accept = load, send, accept
        self._rtc: Rtc | None = None
        self._numbers = count(1)
        self._letters: dict[tuple[str, int], bytes] = {}
        self._waiting: dict[tuple[str, int], trio.Event] = {}
        self._replying = 0
        self._nursery: trio.Nursery | None = None

    def __repr__(self) -> str:
        return f"<Rendezvous waits for {len(self._waiting)}, answers {self._replying}>"

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Answer whoever writes, until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            await trio.sleep_forever()
        raise AssertionError("unreachable")

    async def reach(self, node: str) -> Stream:
        """A stream to this node, handshake done; OSError when it does not answer or no way to it is found."""
        offer = await self._present().offer()
        key = node, next(self._numbers)
        answered = self._waiting[key] = trio.Event()
        try:
            self._send(Signal(node, key[1], "offer", offer.letter))
            with trio.move_on_after(ANSWER_S):
                await answered.wait()
            letter = self._letters.pop(key, None)
            if letter is None:
                raise OSError(f"{node} does not answer by way of the tracker")
            return await offer.connect(letter)
        except BaseException:
            with trio.CancelScope(shield=True):
                await offer.aclose()
            raise
        finally:
            del self._waiting[key]

    def on_signal(self, signal: Signal) -> None:
        """A letter came; `signal.node` is who wrote it, by the tracker's word."""
        key = signal.node, signal.number
        if signal.kind == "answer":
            if key in self._waiting:
                self._letters[key] = signal.letter
                self._waiting[key].set()
        elif self._nursery is not None and self._replying < REPLIES_MAX:
            self._replying += 1
            self._nursery.start_soon(self._reply, signal)

    async def _reply(self, signal: Signal) -> None:
        try:
            reply = await self._present().reply(signal.letter)
            self._send(Signal(signal.node, signal.number, "answer", reply.letter))
            stream = await reply.connect()
        except OSError:
            return  # no letter, or no way: whoever wrote it is not told more than silence
        finally:
            self._replying -= 1
        await self._accept(stream)

    def _present(self) -> Rtc:
        if self._rtc is None:
            self._rtc = self._load()
        return self._rtc
