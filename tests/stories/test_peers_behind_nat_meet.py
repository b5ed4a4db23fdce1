"""Promise: peers that can't dial each other meet by letters through the tracker."""

from typing import Any

import trio
import trio.testing

from p2pd.wire.announce import Signal
from tests.fakes.rtc import MemoryRtc
from tests.stories.fleet import Fleet
from tests.stories.publisher import Release
from tests.stories.services import Host

BEHIND_NAT: dict[str, Any] = {"advertise": "nowhere:1", "webrtc": True}


async def one_has_it(fleet: Fleet, **of_second: Any) -> tuple[Release, Host, Host]:
    """The first runs the release, its seeder is gone, and the second is told to run it."""
    release = fleet.publish("shop@1")
    first, second = fleet.host("first", **BEHIND_NAT), fleet.host("second", **BEHIND_NAT | of_second)
    for host in (first, second):
        host.rtc = MemoryRtc(fleet.network, host.name)
    await first.start()
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [first])
    return release, first, second


async def test_two_behind_nats_exchange_what_they_have(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    _, first, second = await one_has_it(fleet)
    sent_bytes = fleet.seeder.sent_bytes
    await second.start()
    await fleet.until_running("shop@1", [second])
    assert first.daemon is not None
    assert first.daemon.exchange.bytes_sent > 0
    assert fleet.seeder.sent_bytes - sent_bytes < first.daemon.exchange.bytes_sent


async def test_without_webrtc_they_do_not_meet(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    _, first, second = await one_has_it(fleet, webrtc=False)
    await second.start()
    await fleet.until_running("shop@1", [second])
    assert first.daemon is not None
    assert first.daemon.exchange.bytes_sent == 0


async def test_a_letter_that_is_none_harms_nobody(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    _, first, second = await one_has_it(fleet)
    assert first.daemon is not None
    await second.start()
    assert second.daemon is not None
    for number in range(20):
        second.daemon.announcer.write(Signal("first", number, "offer", b"\xff nonsense"))
        second.daemon.announcer.write(Signal("nobody", number, "answer", b""))
    await fleet.until_running("shop@1", [first, second])
