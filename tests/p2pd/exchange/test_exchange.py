"""A few exchanges on a network in memory: what a swarm promises."""

from collections.abc import Callable
from random import Random

import pytest
import trio

from p2pd.exchange import Exchange, Membership
from p2pd.policy.citizenship import Rates
from p2pd.policy.patience import LATE_S
from p2pd.swarm import Swarm
from p2pd.wire.messages import Have, Lost
from tests.fakes.network import MemoryNetwork

from .helpers import Member, full_set, make_member, make_release, start
from .hostile import CHANNEL, Hostile, a_scene


async def run_fleet(members: list[Member], seconds: float = 60.0) -> None:
    with trio.fail_after(seconds):
        async with trio.open_nursery() as nursery:
            await start(nursery, members)
            for member in members:
                await member.membership.completed.wait()
            await trio.sleep(0.2)
            nursery.cancel_scope.cancel()


async def test_a_flash_crowd_takes_one_copy_from_the_shield(autojump_clock: trio.testing.MockClock) -> None:
    manifest, parts, swarm = make_release(60)
    network = MemoryNetwork()
    shield = make_member(network, "shield", "seeder", manifest, swarm, full_set(parts))
    crowd = [make_member(network, f"node{i}", "daemon", manifest, swarm, {}) for i in range(5)]
    await run_fleet([shield, *crowd])
    assert all(one.content.pieces == full_set(parts) for one in crowd)
    assert shield.exchange.bytes_sent <= 1.1 * manifest.size


async def test_a_poisoner_is_banned_and_the_download_completes(autojump_clock: trio.testing.MockClock) -> None:
    manifest, parts, swarm = make_release(30)
    network = MemoryNetwork()
    honest = make_member(network, "honest", "daemon", manifest, swarm, full_set(parts))
    liar = make_member(network, "liar", "daemon", manifest, swarm, {i: b"x" * len(p) for i, p in enumerate(parts)})
    leecher = make_member(network, "leecher", "daemon", manifest, swarm, {})
    await run_fleet([honest, liar, leecher])
    assert leecher.content.pieces == full_set(parts)
    assert "liar" in leecher.exchange.neighbours.banned
    assert "honest" not in leecher.exchange.neighbours.banned


async def test_incomplete_peers_complete_each_other(autojump_clock: trio.testing.MockClock) -> None:
    manifest, parts, swarm = make_release(40)
    network = MemoryNetwork()
    odd = make_member(network, "odd", "daemon", manifest, swarm, {i: p for i, p in enumerate(parts) if i % 2})
    even = make_member(network, "even", "daemon", manifest, swarm, {i: p for i, p in enumerate(parts) if not i % 2})
    await run_fleet([odd, even])
    assert odd.content.pieces == even.content.pieces == full_set(parts)


async def test_pieces_larger_than_a_block_travel_whole(autojump_clock: trio.testing.MockClock) -> None:
    manifest, parts, swarm = make_release(3, 700_000)
    network = MemoryNetwork()
    seed = make_member(network, "seed", "daemon", manifest, swarm, full_set(parts))
    leecher = make_member(network, "leecher", "daemon", manifest, swarm, {})
    await run_fleet([seed, leecher])
    assert leecher.content.pieces == full_set(parts)


def _leave(exchange: Exchange, swarm: bytes) -> None:
    exchange.leave(swarm)


@pytest.mark.parametrize("before", [_leave, lambda exchange, swarm: None], ids=["left", "replaced"])
async def test_what_peers_hold_is_known_in_a_swarm_that_we_join_again(
    before: Callable[[Exchange, bytes], None], autojump_clock: trio.testing.MockClock
) -> None:
    async with a_scene() as scene:
        peer = await Hostile.dial(scene, "peer")
        await peer.join(scene, 0b1001)
        await peer.say(Have(CHANNEL, (1,)), Lost(CHANNEL, (3,)))
        await trio.sleep(1)
        exchange, former = scene.leecher.exchange, scene.leecher.membership
        before(exchange, former.swarm)
        await peer.say(Have(CHANNEL, (4,)))
        await trio.sleep(1)
        brain = Swarm(former.manifest.lengths, 0, rng=Random(1), now=trio.current_time())
        exchange.join(Membership(former.swarm, former.manifest, brain))
        assert brain.held_by("peer") == 0b10011
        assert brain.held_by("nobody") == 0


async def test_a_node_may_be_late_in_the_middle_of_a_download_and_says_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    manifest, parts, swarm = make_release(200)
    network, told = MemoryNetwork(), list[float]()
    shield = make_member(network, "shield", "seeder", manifest, swarm, full_set(parts))
    node = make_member(network, "node", "daemon", manifest, swarm, {}, coalesce=told.append)
    shield.exchange.caps.wide.use(Rates(upload_per_s=manifest.size / 10))
    await run_fleet([shield, node])
    assert told[0] == 0.0
    assert LATE_S in told
    assert told[-1] == 0.0
