"""Peers that stall, lie, break off, flood: they are left or dropped, and an honest download beside them completes."""

import pytest
import trio

from p2pd.exchange.session import CONTROL_QUEUE_BYTES_MAX, SILENCE_S_MAX
from p2pd.policy.hearing import WORK_PER_S, WORK_SAVED_MAX
from p2pd.policy.sources import STALL_S
from p2pd.wire import bits
from p2pd.wire.connection import About
from p2pd.wire.framing import BLOCK_BYTES_MAX
from p2pd.wire.messages import Cancel, Have, Join, Leave, Ping, Pong, Reject, Request
from tests.fakes.network import PIPE_BYTES

from .hostile import CHANNEL, Hostile, a_scene, block, in_blocks

Clock = trio.testing.MockClock
LARGE = 700_000


async def test_a_peer_that_stalls_is_left_within_three_seconds(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        stalls = await Hostile.dial(scene, "stalls")
        await stalls.join(scene)
        await stalls.asked()
        asked_at = trio.current_time()
        await stalls.hear(lambda event: isinstance(event, About) and isinstance(event.message, Cancel))
        assert trio.current_time() - asked_at <= STALL_S + 0.25


async def test_a_download_completes_beside_a_peer_that_stalls(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        stalls = await Hostile.dial(scene, "stalls")
        await stalls.join(scene)
        await stalls.asked()
        scene.meet_honest()
        assert await scene.completes() <= STALL_S + 0.5


async def test_a_peer_that_claims_all_and_has_nothing_costs_a_refusal_each(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        liar = await Hostile.dial(scene, "liar")
        await liar.join(scene)
        asked = [await liar.asked()]

        async def refuse() -> None:
            while True:
                await liar.say(Reject(CHANNEL, asked[-1], "gone"))
                asked.append(await liar.asked())

        scene.nursery.start_soon(refuse)
        await trio.sleep(1.0)
        scene.meet_honest()
        await scene.completes()
        assert sorted(asked) == sorted(set(asked))


async def test_a_peer_that_closes_in_mid_piece_loses_nothing_for_others(autojump_clock: Clock) -> None:
    async with a_scene(6, LARGE) as scene:
        breaks = await Hostile.dial(scene, "breaks")
        await breaks.join(scene)
        piece = await breaks.asked()
        await breaks.say(in_blocks(piece, scene.parts[piece])[0])
        await breaks.stream.aclose()
        scene.meet_honest()
        await scene.completes()


async def test_a_poisoned_piece_bans_its_sender(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        liar = await Hostile.dial(scene, "liar")
        await liar.join(scene)
        await liar.say(block(await liar.asked(), 0, b"x" * 1000))
        await liar.is_dropped()
        again = await Hostile.dial(scene, "liar")
        await again.join(scene)
        await again.is_dropped()
        scene.meet_honest()
        await scene.completes()


async def test_a_piece_that_nobody_asked_for_ends_the_connection(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        pushes = await Hostile.dial(scene, "pushes")
        await pushes.join(scene, 0)
        await pushes.say(block(3, 0, scene.parts[3]))
        await pushes.is_dropped()
        assert scene.leecher.content.pieces == {}
        assert "pushes" not in scene.leecher.exchange.neighbours.banned
        scene.meet_honest()
        await scene.completes()


@pytest.mark.parametrize(
    "order",
    [
        [(0, 1)],
        [(0, 0), (0, 2)],
        [(0, 0), (0, 0)],
        [(0, 0), (1, 0)],
        [(0, 0), (0, 1), (0, 1)],
    ],
)
async def test_blocks_out_of_order_end_the_connection(order: list[tuple[int, int]], autojump_clock: Clock) -> None:
    async with a_scene(6, LARGE) as scene:
        confuses = await Hostile.dial(scene, "confuses")
        await confuses.join(scene)
        pieces = [await confuses.asked(), 0]
        pieces[1] = next(piece for piece in range(6) if piece != pieces[0])
        for which, at in order:
            piece = pieces[which]
            await confuses.say(in_blocks(piece, scene.parts[piece])[at])
        await confuses.is_dropped()
        scene.meet_honest()
        await scene.completes()


async def test_a_piece_longer_than_it_is_ends_the_connection(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        exaggerates = await Hostile.dial(scene, "exaggerates")
        await exaggerates.join(scene)
        await exaggerates.say(block(await exaggerates.asked(), 0, bytes(1001)))
        await exaggerates.is_dropped()


async def test_bytes_of_a_swarm_that_we_are_not_in_are_not_kept(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        pours = await Hostile.dial(scene, "pours")
        await pours.say(pours.connection.hello(), Join(CHANNEL, b"?" * 32, 10, b""))
        for number in range(64):
            await pours.say(block(0, number * BLOCK_BYTES_MAX, bytes(BLOCK_BYTES_MAX)))
        await trio.sleep(1.0)
        session = scene.leecher.exchange.neighbours.sessions["pours"]
        assert len(session._assembly) == 0


async def test_a_swarm_joined_twice_ends_the_connection_and_nothing_else(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        doubles = await Hostile.dial(scene, "doubles")
        await doubles.join(scene)
        again = Join(CHANNEL + 1, scene.leecher.membership.swarm, 30, b"")
        await doubles.say(again, Leave(CHANNEL + 1), Have(CHANNEL, (1,)))
        await doubles.is_dropped()
        scene.meet_honest()
        await scene.completes()


async def test_another_size_of_the_same_swarm_ends_the_connection(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        errs = await Hostile.dial(scene, "errs")
        await errs.say(errs.connection.hello(), Join(CHANNEL, scene.leecher.membership.swarm, 31, b""))
        await errs.is_dropped()
        scene.meet_honest()
        await scene.completes()


async def test_pings_from_who_never_reads_end_the_connection_before_they_fill_memory(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        floods = await Hostile.dial(scene, "floods")
        await floods.join(scene, 0)
        await trio.sleep(0.1)
        session = scene.leecher.exchange.neighbours.sessions["floods"]
        most = 0
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await floods.say(*[Ping(2**50)] * 2000)
                most = max(most, session._control_bytes)
        assert most <= CONTROL_QUEUE_BYTES_MAX + 2 * PIPE_BYTES
        scene.meet_honest()
        await scene.completes()


async def test_who_asks_for_pieces_and_never_reads_is_dropped_in_time(autojump_clock: Clock) -> None:
    async with a_scene(6, LARGE) as scene:
        hoards = await Hostile.dial(scene, "hoards", to=scene.honest)
        await hoards.join(scene, 0)
        await hoards.say(*[Request(CHANNEL, piece) for piece in range(6)])

        async def keep_talking() -> None:
            while True:
                await hoards.say(Ping(1))
                await trio.sleep(5.0)

        scene.nursery.start_soon(_until_broken, keep_talking)
        await trio.sleep(2 * SILENCE_S_MAX)
        assert "hoards" not in scene.honest.exchange.neighbours.sessions


async def test_who_asks_for_pieces_and_never_reads_shuts_nobody_out(autojump_clock: Clock) -> None:
    async with a_scene(12, LARGE) as scene:
        hoards = await Hostile.dial(scene, "hoards", to=scene.honest)
        await hoards.join(scene, 0)
        await hoards.say(*[Request(CHANNEL, piece) for piece in range(12)])
        await trio.sleep(0.1)
        scene.meet_honest()
        assert await scene.completes() < 30.0


async def test_who_leaves_a_swarm_is_sent_no_more_of_it(autojump_clock: Clock) -> None:
    async with a_scene(8, LARGE) as scene:
        leaves = await Hostile.dial(scene, "leaves", to=scene.honest)
        await leaves.join(scene, 0)
        await leaves.say(*[Request(CHANNEL, piece) for piece in range(8)], Leave(CHANNEL))
        scene.nursery.start_soon(leaves.is_dropped, 1000.0)
        await trio.sleep(1.0)
        assert scene.honest.exchange.bytes_sent <= 2 * LARGE


async def test_requests_beyond_what_is_queued_are_refused(autojump_clock: Clock) -> None:
    async with a_scene(20, LARGE) as scene:
        greedy = await Hostile.dial(scene, "greedy", to=scene.honest)
        await greedy.join(scene, 0)
        await greedy.say(*[Request(CHANNEL, piece) for piece in range(20)])
        with trio.fail_after(5.0):
            event = await greedy.hear(lambda one: isinstance(one, About) and isinstance(one.message, Reject))
        assert isinstance(event, About)
        assert isinstance(event.message, Reject)
        assert event.message.reason == "busy"


async def test_a_late_piece_after_its_cancel_is_kept(autojump_clock: Clock) -> None:
    async with a_scene(1) as scene:
        late = await Hostile.dial(scene, "late")
        await late.join(scene)
        await late.asked()
        await late.hear(lambda event: isinstance(event, About) and isinstance(event.message, Cancel))
        await late.say(block(0, 0, scene.parts[0]))
        await scene.completes()


async def test_bits_that_only_one_has_come_from_it_in_the_end(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        stalls = await Hostile.dial(scene, "stalls")
        await stalls.join(scene, bits.full(30))
        await trio.sleep(10.0)
        scene.meet_honest()
        await scene.completes(5.0)


async def _until_broken(talk: object) -> None:
    assert callable(talk)
    try:
        await talk()
    except trio.BrokenResourceError:
        pass


async def test_a_peer_that_floods_is_heard_at_a_pace_and_others_at_once(autojump_clock: Clock) -> None:
    async with a_scene() as scene:
        floods, asks = await Hostile.dial(scene, "floods"), await Hostile.dial(scene, "asks")
        for one in (floods, asks):
            await one.join(scene, 0)
        await floods.say(*(Ping(number) for number in range(int(WORK_SAVED_MAX) + 1000)))
        await asks.say(Ping(7))
        asked_at = trio.current_time()
        await asks.hear(lambda event: event == Pong(7))
        assert trio.current_time() - asked_at < 0.1
        await floods.hear(lambda event: event == Pong(int(WORK_SAVED_MAX) + 999))
        assert 1000 / WORK_PER_S - 0.5 < trio.current_time() - asked_at < 1000 / WORK_PER_S + 0.5
