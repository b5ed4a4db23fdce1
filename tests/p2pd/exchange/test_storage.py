"""Slow, full and broken storage behind an exchange; caps."""

import math
from collections.abc import Sequence

import trio

from manifests.digest import digest_function
from p2pd.exchange import StorageError
from p2pd.exchange.caps import Caps
from p2pd.exchange.content import Arrived, Problem
from p2pd.exchange.intake import UNVERIFIED_BYTES_MAX
from p2pd.policy.citizenship import Rates
from p2pd.policy.sources import ORIGIN_FETCHES_MAX, Tier
from p2pd.wire.framing import BLOCK_HEAD_BYTES
from p2pd.wire.messages import Ping, Pong

from .helpers import MemoryContent, make_release
from .hostile import Hostile, Scene, a_scene, block, in_blocks

Clock = trio.testing.MockClock
LARGE = 700_000


class Gate(MemoryContent):
    """Keeps every write waiting until opened, or refuses it while full."""

    def __init__(self, pieces: int, piece_bytes: int = 1000) -> None:
        super().__init__(make_release(pieces, piece_bytes)[0])
        self.open, self.full, self.waiting_bytes = trio.Event(), False, 0
        self.jobs: list[int] = []
        """How many pieces each was of."""
        self.behind: list[int] = []
        """Bytes of room behind each piece."""

    async def write_pieces(self, swarm: bytes, pieces: Sequence[Arrived]) -> Sequence[Problem | None]:
        self.jobs.append(len(pieces))
        self.behind += [
            memoryview(one.data.obj).nbytes - one.data.nbytes for one in pieces if isinstance(one.data, memoryview)
        ]
        count = sum(len(one.data) for one in pieces)
        self.waiting_bytes += count
        await self.open.wait()
        self.waiting_bytes -= count
        if self.full:
            return [StorageError("the disk is full")] * len(pieces)
        return await super().write_pieces(swarm, pieces)


async def test_pieces_that_wait_for_the_disk_outlive_their_connection(autojump_clock: Clock) -> None:
    gate = Gate(30, LARGE)
    async with a_scene(30, LARGE, content=gate) as scene:
        brings = await Hostile.dial(scene, "brings")
        await brings.join(scene)
        scene.nursery.start_soon(_serve, brings, scene.parts)
        await trio.sleep(2.0)
        assert scene.leecher.exchange.bytes_received > UNVERIFIED_BYTES_MAX
        again = await Hostile.dial(scene, "brings")
        await again.say(again.connection.hello())
        await trio.sleep(0.1)
        gate.open.set()
        scene.meet_honest()
        await scene.completes()


async def test_a_slow_disk_holds_up_who_sends(autojump_clock: Clock) -> None:
    gate = Gate(60, LARGE)
    async with a_scene(60, LARGE, content=gate) as scene:
        scene.meet_honest()
        await trio.sleep(2.0)
        assert UNVERIFIED_BYTES_MAX < scene.leecher.exchange.bytes_received <= UNVERIFIED_BYTES_MAX + LARGE


async def test_a_piece_is_received_where_it_is_put_together(autojump_clock: Clock) -> None:
    """With room behind it for what comes next; what had to be copied there has none."""
    gate = Gate(5, LARGE)
    gate.open.set()
    async with a_scene(5, LARGE, content=gate) as scene:
        scene.meet_honest()
        await scene.completes()
    assert gate.behind == [BLOCK_HEAD_BYTES] * 5


async def test_what_comes_while_the_disk_is_at_work_is_kept_in_one_go(autojump_clock: Clock) -> None:
    gate = Gate(30)
    async with a_scene(content=gate) as scene:
        brings = await Hostile.dial(scene, "brings")
        await brings.join(scene)
        scene.nursery.start_soon(_serve, brings, scene.parts)
        await trio.sleep(2.0)
        gate.open.set()
        await some_kept(scene, 12)
        assert sum(gate.jobs[:2]) >= 12


async def test_one_bad_piece_of_many_ends_who_sent_it_and_the_others_are_kept(autojump_clock: Clock) -> None:
    gate = Gate(30)
    async with a_scene(content=gate) as scene:
        lies = await Hostile.dial(scene, "lies")
        await lies.join(scene)
        for number in range(8):
            piece = await lies.asked()
            await lies.say(block(piece, 0, bytes(1000) if number == 4 else scene.parts[piece]))
        await trio.sleep(1.0)
        gate.open.set()
        await lies.is_dropped()
        assert scene.leecher.membership.brain.present.bit_count() == 7
        scene.meet_honest()
        await scene.completes()


async def test_a_slow_disk_holds_up_http(autojump_clock: Clock) -> None:
    gate = Gate(100, LARGE)
    async with a_scene(100, LARGE, content=gate) as scene:
        by_digest = {digest_function("blake3")(part): part for part in scene.parts}

        async def fetch(digest: bytes, length: int) -> bytes:
            await trio.sleep(0.01)
            return by_digest[digest]

        exchange, membership = scene.leecher.exchange, scene.leecher.membership
        membership.fetch = fetch
        exchange.join(membership)
        await trio.sleep(60.0)
        assert exchange.bytes_received > UNVERIFIED_BYTES_MAX
        assert exchange.bytes_received <= UNVERIFIED_BYTES_MAX + (ORIGIN_FETCHES_MAX + 1) * LARGE
        gate.open.set()
        await scene.completes(120.0)


async def test_a_full_disk_is_told_and_the_download_goes_on_when_there_is_room(autojump_clock: Clock) -> None:
    gate = Gate(30)
    gate.full = True
    gate.open.set()
    async with a_scene(content=gate) as scene:
        scene.meet_honest()
        await trio.sleep(1.0)
        assert scene.leecher.membership.problem == "the disk is full"
        gate.full = False
        await scene.completes()
        assert scene.leecher.membership.problem == ""


async def some_kept(scene: Scene, count: int) -> None:
    """So many pieces are on the disk, each of which it took at once."""
    with trio.fail_after(60.0):
        while scene.leecher.membership.brain.present.bit_count() < count:
            await trio.sleep(0.001)


async def test_a_piece_that_its_reader_keeps_outlives_the_connection(autojump_clock: Clock) -> None:
    gate = Gate(30)
    gate.open.set()
    async with a_scene(content=gate) as scene:
        brings = await Hostile.dial(scene, "brings")
        await brings.join(scene)
        scene.nursery.start_soon(_serve_slowly, brings, scene.parts)
        await some_kept(scene, 5)
        gate.open = trio.Event()
        while not gate.waiting_bytes:
            await trio.sleep(0.001)
        kept = scene.leecher.membership.brain.present.bit_count()
        again = await Hostile.dial(scene, "brings")  # takes the place of the first
        await again.say(again.connection.hello())
        await trio.sleep(1.0)
        gate.open.set()
        await some_kept(scene, kept + 1)


async def test_a_disk_that_was_prompt_and_is_full_keeps_nobody_from_reading(autojump_clock: Clock) -> None:
    gate = Gate(30)
    gate.open.set()
    async with a_scene(content=gate) as scene, trio.open_nursery() as serving:
        brings = await Hostile.dial(scene, "brings")
        await brings.join(scene)
        serving.start_soon(_serve_slowly, brings, scene.parts)
        await some_kept(scene, 5)
        gate.full = True
        while scene.leecher.membership.problem != "the disk is full":
            await trio.sleep(0.001)
        serving.cancel_scope.cancel()
        await brings.say(Ping(7))
        with trio.fail_after(1.0):
            await brings.hear(lambda event: event == Pong(7))


def slow_downwards() -> Caps:
    """1,000 bytes a second."""
    caps = Caps()
    caps.wide.use(Rates(download_per_s=1000))
    return caps


async def test_a_cap_on_the_download_does_not_slow_the_upload(autojump_clock: Clock) -> None:
    async with a_scene(caps=slow_downwards()) as scene:
        exchange = scene.leecher.exchange
        scene.nursery.start_soon(exchange.caps.receive, 1_000_000, Tier.REGION)
        await trio.sleep(0.1)
        with trio.fail_after(0.1):
            await exchange.caps.send(1_000_000, Tier.REGION)


async def test_a_cap_on_the_download_is_kept(autojump_clock: Clock) -> None:
    async with a_scene(caps=slow_downwards()) as scene:
        scene.meet_honest()
        assert await scene.completes(math.inf) >= 28.0


async def _serve_slowly(peer: Hostile, parts: list[bytes]) -> None:
    try:
        while True:
            piece = await peer.asked()
            await trio.sleep(0.01)
            await peer.say(*in_blocks(piece, parts[piece]))
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass


async def _serve(peer: Hostile, parts: list[bytes]) -> None:
    try:
        while True:
            piece = await peer.asked()
            await peer.say(*in_blocks(piece, parts[piece]))
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
