"""The mirror does not lie, it wears down: endless, slow, oversized. The host leaves it in time and says so."""

import tracemalloc
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from manifests.errors import UntrustedReleaseError
from manifests.names import parse_release
from manifests.trust import Wanted
from p2pd.world.network import Stream
from tests.attacks.siege import Siege, nothing_visible

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
BOTH = ("http://worn:80", "http://second:80")
"""The worn one may be asked first; an honest one is there too."""


async def endless(stream: Stream) -> None:
    """A body without length that never ends."""
    await stream.send_all(HEAD + b"Connection: close\r\n\r\n")
    while True:
        await stream.send_all(b" " * 65_536)


async def endless_chunks(stream: Stream) -> None:
    """The same in HTTP's chunks."""
    await stream.send_all(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await stream.send_all(b"10000\r\n" + b" " * 65_536 + b"\r\n")


async def endless_head(stream: Stream) -> None:
    """Fields and fields, and no body."""
    await stream.send_all(HEAD)
    while True:
        await stream.send_all(b"X-More: " + b"x" * 1_000 + b"\r\n")


async def dripping(stream: Stream) -> None:
    """A byte every two seconds: never silent for long."""
    await stream.send_all(HEAD + b"Content-Length: 16000\r\n\r\n")
    while True:
        await stream.send_all(b" ")
        await trio.sleep(2)


async def silent(stream: Stream) -> None:
    """Takes the question and never answers."""
    await trio.sleep_forever()


async def wear_down(siege: Siege, behaviour: Callable[[Stream], Awaitable[None]]) -> None:
    """At `worn:80`, whatever is asked."""
    listener = await siege.network.host("worn").listen("worn:80")

    async def serve(stream: Stream) -> None:
        try:
            await stream.receive_some(65_536)
            await behaviour(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def accept() -> None:
        async with trio.open_nursery() as nursery:
            while True:
                nursery.start_soon(serve, await listener.accept())

    siege.nursery.start_soon(accept)


@pytest.mark.parametrize("behaviour", [endless, endless_chunks, endless_head, dripping, silent])
async def test_endless_data_and_slow_retrieval_do_not_keep_a_host_from_an_honest_mirror(
    siege: Siege, autojump_clock: MockClock, behaviour: Callable[[Stream], Awaitable[None]]
) -> None:
    siege.publish("shop@1")
    siege.second.copy(siege.store)
    await wear_down(siege, behaviour)
    host = await siege.host(origins=BOTH)
    await siege.runs(host, "shop@1", siege.goal("shop@1"), within_s=300)


@pytest.mark.parametrize("behaviour", [endless, endless_chunks, endless_head])
async def test_endless_data_costs_a_bounded_memory(
    siege: Siege, autojump_clock: MockClock, behaviour: Callable[[Stream], Awaitable[None]]
) -> None:
    siege.publish("shop@1")
    await wear_down(siege, behaviour)
    host = await siege.host(origins=("http://worn:80",))
    tracemalloc.start()
    try:
        await siege.tracker.say(siege.goal("shop@1"))
        await trio.sleep(60)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * 2**20
    assert nothing_visible(host)


@pytest.mark.parametrize("behaviour", [dripping, silent])
async def test_slow_retrieval_alone_is_told_of_and_bounded(
    siege: Siege, autojump_clock: MockClock, behaviour: Callable[[Stream], Awaitable[None]]
) -> None:
    siege.publish("shop@1")
    await wear_down(siege, behaviour)
    host = await siege.host(origins=("http://worn:80",))
    await siege.tracker.say(siege.goal("shop@1"))
    await siege.until(lambda: "metadata/" in host.service().get("waits_for", ""), host, within_s=60)


async def test_metadata_of_the_wrong_size_is_refused_before_it_is_parsed(
    siege: Siege, autojump_clock: MockClock
) -> None:
    siege.publish("shop@1")
    chain, release, fetched = siege.chain("x"), parse_release("shop@1"), dict[str, bytes | None]()
    while isinstance(wanted := chain.look_up(release, fetched), Wanted):
        whole = siege.mirror.files.get(wanted.path)
        if whole is not None:
            with pytest.raises(UntrustedReleaseError, match="at most"):
                chain.look_up(release, fetched | {wanted.path: whole + b" " * (wanted.max_bytes - len(whole) + 1)})
        fetched[wanted.path] = whole


async def test_metadata_of_the_wrong_size_in_the_mirror(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.mirror.files["metadata/timestamp.json"] += b" " * 20_000
    host = await siege.host()
    await siege.tracker.say(siege.goal("shop@1"))
    await siege.until(lambda: "16384 expected" in host.service().get("waits_for", ""), host)
    assert nothing_visible(host)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[", b"\xff" * 100, b"9" * 15_000, b"[" * 15_000, b'{"signed": {}}'])
async def test_metadata_that_is_none_is_refused(siege: Siege, autojump_clock: MockClock, damage: bytes) -> None:
    siege.publish("shop@1")
    siege.mirror.files["metadata/timestamp.json"] = damage
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))
