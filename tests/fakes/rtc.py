"""`p2pd.world.rtc.Rtc` in memory: two letters, and then a connection, whatever else keeps the two apart."""

from itertools import count

import trio

from p2pd.world.network import Listener, Stream
from tests.fakes.network import MemoryNetwork


class MemoryRtc:
    """One host's. All hosts of a story share `network`, on which letters are addresses."""

    def __init__(self, network: MemoryNetwork, name: str) -> None:
        self._host = network.host(name)
        self._name = name
        self._numbers = count(1)

    async def offer(self) -> "MemoryOffer":
        """Begin."""
        await trio.lowlevel.checkpoint()
        return MemoryOffer(self, f"offer of {self._name}".encode())

    async def reply(self, letter: bytes) -> "MemoryReply":
        """To somebody's offer."""
        if not letter.startswith(b"offer of "):
            raise OSError("this is no offer")
        listener = await self._host.listen(f"rtc-{self._name}:{next(self._numbers)}")
        return MemoryReply(listener)


class MemoryOffer:
    """Our side."""

    def __init__(self, rtc: MemoryRtc, letter: bytes) -> None:
        self._rtc, self.letter = rtc, letter

    async def connect(self, answer: bytes) -> Stream:
        """With the other one's letter."""
        return await self._rtc._host.dial(answer.decode())

    async def aclose(self) -> None:
        """Give it up."""
        await trio.lowlevel.checkpoint()


class MemoryReply:
    """The other side's."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.letter = listener.address.encode()

    async def connect(self) -> Stream:
        """When they come; OSError when they don't."""
        with trio.move_on_after(20):
            return await self._listener.accept()
        raise OSError("they did not come")
