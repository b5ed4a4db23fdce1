"""A LAN on which nodes hear of each other: `p2pd.world.lan.Lan` without packets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pd.wire.lan import Departed, Notice

News = tuple[str, Notice] | Departed


class Segment:
    """One LAN. Whoever joins hears at once of all who are there, and of every change after `delay_s`."""

    def __init__(self, *, delay_s: float = 0.05) -> None:
        self._delay_s = delay_s
        self._members: dict[SegmentMember, Notice] = {}

    @asynccontextmanager
    async def join(self, own: Notice) -> AsyncIterator["SegmentMember"]:
        """Be known as `own` until the block is left."""
        member = SegmentMember(self, own.node)
        for other, notice in self._members.items():
            member.told((other.service, notice))
        try:
            await member.tell(own)
            yield member
        finally:
            del self._members[member]
            self._tell_all(Departed(member.service))

    async def publish(self, member: "SegmentMember", own: Notice) -> None:
        """`member` says `own`."""
        self._members[member] = own
        await trio.sleep(self._delay_s)
        self._tell_all((member.service, own))

    def _tell_all(self, news: News) -> None:
        for member in self._members:
            member.told(news)


class SegmentMember:
    """One node's being known."""

    def __init__(self, segment: Segment, node: str) -> None:
        self.service = f"{node}.lan"
        self._segment = segment
        self._send, self._receive = trio.open_memory_channel[News](10_000)

    async def tell(self, own: Notice) -> None:
        """From now on we say this."""
        await self._segment.publish(self, own)

    async def hear(self) -> News:
        """The next news."""
        return await self._receive.receive()

    def told(self, news: News) -> None:
        """Somebody said this."""
        self._send.send_nowait(news)
