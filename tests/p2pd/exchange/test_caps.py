"""Caps hold each for its own side of the house and its own direction."""

import trio
import trio.testing

from p2pd.exchange.caps import Caps
from p2pd.policy.citizenship import Rates
from p2pd.policy.sources import Tier

Clock = trio.testing.MockClock
CAPPED_S = 9.75
"""10,000 bytes at 1,000 a second, less the burst of a quarter."""


async def seconds_for(caps: Caps, direction: str, tier: Tier) -> float:
    """For 10,000 bytes in pieces of 100."""
    begun = trio.current_time()
    for _ in range(100):
        await (caps.send(100, tier) if direction == "up" else caps.receive(100, tier))
    return trio.current_time() - begun


async def test_a_cap_on_the_lan_holds_there_only(autojump_clock: Clock) -> None:
    caps = Caps()
    caps.lan.use(Rates(upload_per_s=1000))
    assert round(await seconds_for(caps, "up", Tier.LAN), 3) == CAPPED_S
    assert await seconds_for(caps, "up", Tier.REGION) == 0
    assert await seconds_for(caps, "down", Tier.LAN) == 0


async def test_a_cap_outside_the_lan_holds_for_every_tier_there(autojump_clock: Clock) -> None:
    caps = Caps()
    caps.wide.use(Rates(download_per_s=1000))
    assert await seconds_for(caps, "down", Tier.LAN) == 0
    for tier in (Tier.REGION, Tier.REMOTE, Tier.SHIELD, Tier.ORIGIN):
        assert await seconds_for(caps, "down", tier) > 9


async def test_what_others_leave_and_what_the_owner_allows_hold_both(autojump_clock: Clock) -> None:
    caps = Caps()
    caps.wide.use(Rates(upload_per_s=1000))
    caps.wide.yield_to(Rates(upload_per_s=10_000))
    assert round(await seconds_for(caps, "up", Tier.REGION), 3) == CAPPED_S
    caps.wide.yield_to(Rates(upload_per_s=500))
    assert await seconds_for(caps, "up", Tier.REGION) > 19


async def test_who_waits_goes_on_when_there_is_more_to_have(autojump_clock: Clock, nursery: trio.Nursery) -> None:
    caps = Caps()
    caps.wide.use(Rates(upload_per_s=1))
    begun = trio.current_time()
    nursery.start_soon(caps.send, 10_000, Tier.REGION)
    await trio.sleep(1)
    caps.wide.use(Rates(upload_per_s=10_000))
    await caps.send(1, Tier.REGION)
    assert trio.current_time() - begun < 3


async def test_room_that_was_made_and_not_used_is_not_counted(autojump_clock: Clock) -> None:
    caps = Caps()
    caps.wide.use(Rates(download_per_s=1000))
    await caps.make_room(500, Tier.ORIGIN)
    caps.give_back(500, Tier.ORIGIN)
    assert caps.wide.received_bytes == 0
    await caps.make_room(500, Tier.ORIGIN)
    caps.received(500, Tier.ORIGIN)
    assert caps.wide.received_bytes == 500


async def test_who_yields_has_saved_up_little(autojump_clock: Clock) -> None:
    caps = Caps()
    caps.wide.yield_to(Rates(download_per_s=10_000))
    await trio.sleep(10)
    caps.wide.yield_to(Rates(download_per_s=1000))
    assert await seconds_for(caps, "down", Tier.REGION) > CAPPED_S
