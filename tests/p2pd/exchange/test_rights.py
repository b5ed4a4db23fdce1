"""A certificate that is limited to products: what is not for its bearer is, to them, not here. The release is web@1."""

import pytest
import trio

from p2pd.wire.connection import BlockReceived, Event, Joined
from p2pd.wire.messages import ManifestPart, ManifestRequest, Request
from p2pd.world.network import Identity

from .hostile import CHANNEL, Hostile, Scene, a_scene

Clock = trio.testing.MockClock
WAIT_S = 5.0


async def come(scene: Scene, *products: str) -> Hostile:
    """Somebody with such a certificate, who joins the swarm of the one that has it all, holding nothing."""
    proven = Identity("reader", "here", "daemon", proven=True, products=products)
    reader = await Hostile.dial(scene, "reader", to=scene.honest, proven=proven)
    await reader.join(scene, held=0)
    return reader


async def hears(reader: Hostile, kind: type[Event]) -> Event | None:
    """The next event of this kind, None when none comes."""
    with trio.move_on_after(WAIT_S):
        return await reader.hear(lambda event: isinstance(event, kind))
    return None


async def manifest_part(scene: Scene, reader: Hostile) -> ManifestPart:
    await reader.say(ManifestRequest(scene.honest.membership.swarm, 0))
    part = await hears(reader, ManifestPart)
    assert isinstance(part, ManifestPart)
    return part


@pytest.mark.parametrize("products", [(), ("web",), ("api", "w*")])
async def test_who_may_have_it_gets_it(products: tuple[str, ...], autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        reader = await come(scene, *products)
        assert await hears(reader, Joined)
        await reader.say(Request(CHANNEL, 0))
        assert await hears(reader, BlockReceived)
        assert (await manifest_part(scene, reader)).total


async def test_who_may_not_is_told_that_nobody_is_in_the_swarm_and_gets_no_manifest(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        reader = await come(scene, "api")
        assert await hears(reader, Joined) is None
        assert (await manifest_part(scene, reader)).total == 0


async def test_who_may_not_gets_no_byte_however_they_ask(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        reader = await come(scene, "api")
        await reader.say(*(Request(CHANNEL, piece) for piece in range(3)))
        assert await hears(reader, BlockReceived) is None
        assert scene.honest.exchange.bytes_sent == 0


async def test_nothing_is_taken_from_who_may_not_have_it_either(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        proven = Identity("reader", "here", "daemon", proven=True, products=("api",))
        reader = await Hostile.dial(scene, "reader", proven=proven)
        await reader.join(scene)
        with trio.move_on_after(WAIT_S):
            await reader.asked()
            raise AssertionError("it was asked for a piece")
