"""The body of the background: connections are looked at, caps follow, who only receives says something now and then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import trio
import trio.testing

from p2pd.background import PINGED_MAX, Background
from p2pd.exchange.caps import Caps
from p2pd.limits import LimitsConfig
from p2pd.policy.citizenship import Rates
from p2pd.policy.sources import Tier
from p2pd.policy.yielding import START_BYTES_PER_S, Transit

BLOCK_BYTES = 16 * 1024
BASE_S = 0.02


@dataclass
class Stream:
    """`p2pd.world.network.Measured`, over a way with this queue."""

    queue_s: float = 0.0
    delivered: int = 0
    paced_at: float = 0.0

    def transit(self) -> Transit:
        """One packet more each time."""
        self.delivered += 1
        return Transit("10.0.0.1:7", BASE_S + self.queue_s, BASE_S, self.delivered, 0)

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Remembered."""
        self.paced_at = upload_bytes_per_s


@dataclass
class Session:
    """As much of one as the background looks at."""

    stream: Any = field(default_factory=Stream)
    pings: int = 0
    useful_at: float = 0.0
    tier: Tier = Tier.REGION

    def ping(self) -> None:
        """Counted."""
        self.pings += 1


def background(
    caps: Caps, *sessions: Session, tier: Tier = Tier.REGION, lan: bool = False, http: Iterable[Stream] = ()
) -> Background:
    """Of an exchange with these, and HTTP over those."""
    found = dict(enumerate(sessions))
    for session in sessions:
        session.tier = tier
    exchange = SimpleNamespace(caps=caps, neighbours=SimpleNamespace(sessions=found))
    return Background(cast(Any, exchange), http, LimitsConfig(lan_background=lan, background=not lan))


async def send(caps: Caps, tier: Tier = Tier.REGION) -> None:
    """For ever, as fast as the caps let it."""
    while True:
        await caps.send(BLOCK_BYTES, tier)
        await trio.sleep(0.001)


async def receive(caps: Caps) -> None:
    """The same, the other way."""
    while True:
        await caps.receive(BLOCK_BYTES, Tier.REGION)
        await trio.sleep(0.001)


async def test_an_upload_shrinks_while_there_is_a_queue_and_grows_again_after(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps, session = Caps(), Session()
    nursery.start_soon(background(caps, session).run)
    nursery.start_soon(send, caps)
    await trio.sleep(2)
    before = caps.wide.up.rate_bytes_per_s
    assert before > START_BYTES_PER_S
    session.stream.queue_s = 0.1
    await trio.sleep(5)
    held = caps.wide.up.rate_bytes_per_s
    assert held < before / 10
    session.stream.queue_s = 0.0
    await trio.sleep(5)
    assert caps.wide.up.rate_bytes_per_s > 10 * held


async def test_packets_are_paced_as_the_cap_is(autojump_clock: trio.testing.MockClock, nursery: trio.Nursery) -> None:
    caps, session = Caps(), Session()
    nursery.start_soon(background(caps, session).run)
    nursery.start_soon(send, caps)
    await trio.sleep(2.05)
    assert session.stream.paced_at == caps.wide.up.rate_bytes_per_s


async def test_who_only_receives_has_something_acknowledged(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps, session = Caps(), Session()
    nursery.start_soon(background(caps, session).run)
    await trio.sleep(2)
    assert session.pings == 0
    nursery.start_soon(receive, caps)
    await trio.sleep(2)
    assert session.pings >= 10


async def test_of_many_only_those_that_brought_something_last_are_spoken_to(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps, sessions = Caps(), [Session(useful_at=number) for number in range(10)]
    nursery.start_soon(background(caps, *sessions).run)
    nursery.start_soon(receive, caps)
    await trio.sleep(2)
    assert [session.pings > 0 for session in sessions] == [False] * (10 - PINGED_MAX) + [True] * PINGED_MAX


async def test_the_owners_cap_holds_all_the_same(autojump_clock: trio.testing.MockClock, nursery: trio.Nursery) -> None:
    caps = Caps()
    caps.wide.use(Rates(upload_per_s=1000))
    nursery.start_soon(background(caps, Session()).run)
    await trio.sleep(1)
    assert caps.wide.up.rate_bytes_per_s == 1000


async def test_the_lan_is_left_alone_unless_it_is_asked_for(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps = Caps()
    nursery.start_soon(background(caps, Session(), tier=Tier.LAN).run)
    await trio.sleep(1)
    assert caps.lan.up.rate_bytes_per_s == float("inf")


async def test_the_lan_is_yielded_where_it_is_asked_for(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps, session = Caps(), Session()
    found = background(caps, session, tier=Tier.LAN, lan=True)
    nursery.start_soon(found.run)
    nursery.start_soon(send, caps, Tier.LAN)
    await trio.sleep(2)
    session.stream.queue_s = 0.1
    await trio.sleep(5)
    assert found.snapshot()["lan"]["upload_yields"]


async def test_streams_that_can_not_be_measured_are_not_held_back(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    caps = Caps()
    nursery.start_soon(background(caps, Session(stream=object())).run)
    nursery.start_soon(send, caps)
    await trio.sleep(2)
    assert caps.wide.up.rate_bytes_per_s == float("inf")
