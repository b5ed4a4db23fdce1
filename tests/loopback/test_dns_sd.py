"""The true zeroconf on loopback: nodes hear each other, their changes and their goodbyes."""

from collections.abc import Callable

import trio

from p2pd.wire.lan import Departed, Notice, prefixes_of
from p2pd.world.lan import LanMember
from p2pd.world.real_lan import DnsSd

FIRST = Notice("first", "test", "127.0.0.1:7001", prefixes_of([b"a" * 32]))
SECOND = Notice("second", "test", "127.0.0.1:7002")


async def hear(member: LanMember, wanted: Callable[[object], bool]) -> None:
    """Listen until it comes."""
    with trio.fail_after(20):
        while not wanted(await member.hear()):
            pass


async def test_who_comes_later_hears_who_is_there() -> None:
    async with DnsSd().join(FIRST), DnsSd().join(SECOND) as second:
        await hear(second, lambda news: isinstance(news, tuple) and news[1] == FIRST)


async def test_who_is_there_hears_who_comes_later_and_who_goes() -> None:
    async with DnsSd().join(FIRST) as first:
        async with DnsSd().join(SECOND):
            await hear(first, lambda news: isinstance(news, tuple) and news[1] == SECOND)
        await hear(first, lambda news: isinstance(news, Departed))


async def test_a_change_of_swarms_is_heard() -> None:
    changed = Notice(SECOND.node, SECOND.fleet, SECOND.address, prefixes_of([b"b" * 32]))
    async with DnsSd().join(FIRST) as first, DnsSd().join(SECOND) as second:
        await second.tell(changed)
        await hear(first, lambda news: isinstance(news, tuple) and news[1] == changed)
