"""Who gets in, how many, and which connection stays."""

import pytest
import trio

from p2pd.exchange.neighbours import CONNECTIONS_MAX, HANDSHAKES_MAX
from p2pd.exchange.session import HANDSHAKE_S_MAX
from p2pd.policy.dialing import DEGREE
from p2pd.wire.announce import PeerInfo
from p2pd.wire.messages import Hello, Join
from p2pd.world.network import Identity

from .hostile import Hostile, a_scene, accept_silently, block

Clock = trio.testing.MockClock


@pytest.mark.parametrize(
    "hello",
    [
        Hello(1, "another fleet", "stranger", "here", "daemon", ""),
        Hello(2, "test", "from the future", "here", "daemon", ""),
        Hello(1, "test", "", "here", "daemon", ""),
        Hello(1, "test", "leecher", "here", "daemon", ""),
        Join(1, b"s" * 32, 30, b""),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["fleet", "version", "nameless", "ourselves", "no hello", "http"],
)
async def test_who_does_not_belong_is_turned_away(hello: Hello | Join | bytes, autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        stranger = await Hostile.dial(scene, "stranger")
        await stranger.say(hello)
        await stranger.is_dropped(1.0)
        assert scene.sessions() == set()


async def test_who_is_not_who_its_certificate_says_is_turned_away(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        proven = Identity("someone", "here", "daemon", proven=True)
        pretends = await Hostile.dial(scene, "pretends", proven=proven)
        await pretends.join(scene)
        await pretends.is_dropped(1.0)


async def test_a_hello_that_never_comes_is_not_waited_for(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        slow = await Hostile.dial(scene, "slow")
        for byte in slow.connection.hello()[:4]:
            await slow.say(bytes([byte]))
            await trio.sleep(1.0)
        await slow.is_dropped(HANDSHAKE_S_MAX - 3.0)


async def test_a_flood_of_silent_connections_keeps_us_from_nobody(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        silent = [await Hostile.dial(scene, f"silent{number}") for number in range(3 * HANDSHAKES_MAX)]
        await trio.sleep(0.1)
        assert scene.leecher.exchange.neighbours.half_open == HANDSHAKES_MAX
        scene.meet_honest()
        assert await scene.completes() < HANDSHAKE_S_MAX
        for one in silent:
            await one.is_dropped()


async def test_at_the_doorstep_the_newest_takes_the_place_of_the_oldest(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        oldest = await Hostile.dial(scene, "oldest")
        for number in range(HANDSHAKES_MAX - 1):
            await Hostile.dial(scene, f"silent{number}")
        newest = await Hostile.dial(scene, "newest")
        await oldest.is_dropped(1.0)
        await newest.join(scene, 0)
        await trio.sleep(0.1)
        assert scene.sessions() == {"newest"}


async def test_a_thousand_connections_are_bounded_and_do_not_keep_us_from_dialling(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        for number in range(1000):
            one = await Hostile.dial(scene, f"many{number}")
            try:
                await one.join(scene, 0)
            except trio.BrokenResourceError:
                pass
            await trio.sleep(0.01)
        assert len(scene.sessions()) == CONNECTIONS_MAX
        scene.meet_honest()
        await scene.completes()


async def test_two_that_dial_each_other_at_once_keep_one_connection(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        scene.meet_honest()
        scene.honest.exchange.neighbours.suggest(scene.honest.membership.swarm, [scene.leecher.info()])
        await scene.completes()
        await trio.sleep(1.0)
        ours = scene.leecher.exchange.neighbours.sessions["honest"]
        theirs = scene.honest.exchange.neighbours.sessions["leecher"]
        assert ours.dialled is not theirs.dialled


async def test_who_is_asked_for_twice_at_once_is_dialled_once(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        reached: list[bool] = []

        async def reach() -> None:
            reached.append(await scene.leecher.exchange.neighbours.reach(scene.honest.info()) is not None)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(reach)
            nursery.start_soon(reach)
        assert reached == [True, True]
        assert scene.network.dials[scene.honest.info().address] == 1


async def test_who_could_not_be_reached_is_dialled_again_when_asked_for_again(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        nobody = PeerInfo("nobody", "nobody:1", "here", "daemon", False)
        for _ in range(2):
            assert await scene.leecher.exchange.neighbours.reach(nobody) is None
        assert scene.network.dials["nobody:1"] == 2


async def test_a_node_that_dials_again_replaces_its_old_connection(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        first = await Hostile.dial(scene, "peer")
        await first.join(scene)
        await first.asked()
        second = await Hostile.dial(scene, "peer")
        await second.join(scene)
        await first.is_dropped()
        piece = await second.asked()
        await second.say(block(piece, 0, scene.parts[piece]))
        await trio.sleep(0.1)
        assert piece in scene.leecher.content.pieces
        assert scene.sessions() == {"peer"}


async def test_bytes_on_the_old_connection_do_not_count_for_the_new_one(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        first = await Hostile.dial(scene, "peer")
        await first.join(scene)
        piece = await first.asked()
        second = await Hostile.dial(scene, "peer")
        await second.say(second.connection.hello())
        await trio.sleep(0.1)
        with pytest.raises(trio.BrokenResourceError):
            await first.say(block(piece, 0, scene.parts[piece]))
        assert scene.leecher.content.pieces == {}


async def test_no_more_are_dialled_than_the_degree_however_often_we_look(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        peers = []
        for number in range(3 * DEGREE):
            listener = await scene.network.host(f"silent{number}").listen(f"silent{number}:1")
            scene.nursery.start_soon(accept_silently, listener)
            peers.append(PeerInfo(f"silent{number}", listener.address, "here", "daemon", False))
        for peer in peers:
            scene.leecher.exchange.neighbours.suggest(scene.leecher.membership.swarm, [peer])
            await trio.sleep(0.05)
        assert sum(scene.network.dials.values()) == DEGREE


async def test_a_peer_that_breaks_the_rules_is_dialled_ever_more_rarely(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        listener = await scene.network.host("breaks").listen("breaks:1")

        async def break_rules() -> None:
            while True:
                peer = Hostile("breaks", await listener.accept())
                await peer.join(scene, 0)
                await peer.say(block(1, 0, b"unasked"))

        scene.nursery.start_soon(break_rules)
        info = PeerInfo("breaks", listener.address, "here", "daemon", False)
        scene.leecher.exchange.neighbours.suggest(scene.leecher.membership.swarm, [info])
        await trio.sleep(120.0)
        assert 3 <= scene.network.dials["breaks:1"] <= 30


async def test_a_silent_connection_is_pinged_and_then_closed(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        quiet = await Hostile.dial(scene, "quiet")
        await quiet.join(scene, 0)
        await trio.sleep(50.0)
        assert scene.sessions() == {"quiet"}
        await trio.sleep(50.0)
        assert scene.sessions() == set()


@pytest.mark.parametrize(
    "proven",
    [
        Identity("pretends", "elsewhere", "daemon", proven=True),
        Identity("pretends", "here", "tracker", proven=True),
        Identity("pretends", "here", "operator", proven=True),
    ],
    ids=["region", "tracker", "operator"],
)
async def test_who_is_no_peer_by_its_certificate_is_turned_away(proven: Identity, autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        pretends = await Hostile.dial(scene, "pretends", proven=proven)
        await pretends.join(scene)
        await pretends.is_dropped(1.0)
        assert scene.sessions() == set()
