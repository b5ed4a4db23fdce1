"""A real WebRTC channel tells how its way fares, and holds little back when it is held to little."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import trio

from p2pd.policy.yielding import Transit
from p2pd.world.network import Measured, Stream
from p2pd.world.real_network import RealNetwork
from p2pd.world.real_rtc import BUFFERED_BYTES, BUFFERED_BYTES_MIN, RealRtc, _Joint

WAIT_S = 20.0


async def channel() -> tuple[Stream, Stream]:
    """Both ends of one."""
    ours, theirs = RealRtc(RealNetwork().adopt), RealRtc(RealNetwork().adopt)
    ends: list[Stream] = []
    offer = await ours.offer()
    reply = await theirs.reply(offer.letter)

    async def accept() -> None:
        ends.append(await reply.connect())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        begun = await offer.connect(reply.letter)
    return begun, ends[0]


async def test_a_channel_tells_round_trips_and_what_arrived() -> None:
    with trio.fail_after(WAIT_S):
        begun, accepted = await channel()
        assert isinstance(begun, Measured)
        seen: list[Transit] = []
        while len(seen) < 3 or seen[-1].delivered == seen[0].delivered:
            await begun.send_all(bytes(1000))
            assert await accepted.receive_some()
            await trio.sleep(0.01)
            if found := begun.transit():
                seen.append(found)
        assert all(0 < one.shortest_s <= one.round_trip_s < WAIT_S for one in seen)
        assert {one.address for one in seen} == {"webrtc-1:0"}
        await begun.aclose()
        await accepted.aclose()


class Channel:
    """A data channel from which nothing leaves."""

    def __init__(self) -> None:
        self.bufferedAmount = self.bufferedAmountLowThreshold = 0

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        """Nothing comes, either."""

    def send(self, data: bytes) -> None:
        """Kept."""
        self.bufferedAmount += len(data)


async def _waiting(per_s: float) -> int:
    """What waits in the channel of somebody who says more than it takes."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    found: Any = Channel()
    joint = _Joint(found, theirs)
    joint.hold_to(per_s)

    async def nothing() -> None: ...

    running = asyncio.ensure_future(joint.run(nothing))
    said = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(ours, bytes(4 * BUFFERED_BYTES)))
    before = -1
    while found.bufferedAmount != before:
        before = found.bufferedAmount
        await asyncio.sleep(0.05)
    for task in (said, running):
        task.cancel()
    await asyncio.gather(said, running, return_exceptions=True)
    ours.close()
    return int(found.bufferedAmount)


def test_little_waits_in_a_channel_that_is_held_to_little() -> None:
    assert asyncio.run(_waiting(8 * 1024.0)) <= 2 * BUFFERED_BYTES_MIN
    assert asyncio.run(_waiting(1e9)) >= BUFFERED_BYTES
