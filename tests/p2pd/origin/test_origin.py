"""Fetching from shields and the CDN, with every way in which they fail. Virtual time."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from random import Random

import pytest
import trio
from blake3 import blake3
from trio.testing import MockClock

from manifests.digest import manifest_digest
from p2pd.gzipped import pack
from p2pd.httpmessages import Request, Response, StreamedBody
from p2pd.httpserver import Handler, HttpServer
from p2pd.origin import PATIENCE_S, SLOWEST_BYTES_PER_S, STALL_S, Origin, OriginError
from p2pd.origin_health import BACKOFF_BASE_S, RETRY_AFTER_MAX_S, Outcome, Source
from p2pd.world.http import client
from tests.fakes.network import MemoryNetwork

DATA = b"chunk" * 100
DIGEST = blake3(DATA).digest()


def always(status: int, body: bytes = b"", **headers: str) -> Handler:
    async def handler(request: Request) -> Response:
        return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    return handler


good = always(200, DATA)


async def silent(request: Request) -> Response:
    await trio.sleep_forever()
    return Response(200)


async def stalls_in_mid_body(request: Request) -> Response:
    async def parts() -> AsyncGenerator[bytes, None]:
        yield DATA[:100]
        await trio.sleep_forever()

    return Response(200, body=StreamedBody(len(DATA), parts()))


async def drips(request: Request) -> Response:
    async def parts() -> AsyncGenerator[bytes, None]:
        for letter in DATA:
            yield bytes([letter])
            await trio.sleep(STALL_S * 0.9)

    return Response(200, body=StreamedBody(len(DATA), parts()))


@asynccontextmanager
async def origin_of(*handlers: Handler) -> AsyncIterator[Origin]:
    """Sources that answer like this: a shield, then CDNs in the order of preference."""
    network = MemoryNetwork()
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        sources = []
        for number, handler in enumerate(handlers):
            listener = await network.host(f"s{number}").listen(f"s{number}:80")
            nursery.start_soon(HttpServer(utc_now=lambda: 0.0).serve, listener, handler)
            sources.append(Source("cdn" if number else "shield", f"http://s{number}:80/", tier=number))
        http = await stack.enter_async_context(client(network.host("client")))
        yield Origin(http, sources, Random(1))
        nursery.cancel_scope.cancel()


def outcomes(origin: Origin) -> list[dict[str, int]]:
    return [facts.outcomes for facts in origin.snapshot()]


async def fetch(origin: Origin) -> bytes:
    return await origin.fetch_chunk(DIGEST, len(DATA))


async def test_a_chunk_comes_from_the_first_source() -> None:
    async with origin_of(good, good) as origin:
        assert await fetch(origin) == DATA
        assert origin.bytes_by_source == {"shield": len(DATA), "cdn": 0}


async def test_a_chunk_is_asked_for_at_its_place_in_the_blob_store() -> None:
    asked = []

    async def handler(request: Request) -> Response:
        asked.append((request.path, request.headers["accept-encoding"]))
        return Response(200, body=DATA)

    async with origin_of(handler) as origin:
        await fetch(origin)
    assert asked == [(f"/chunks/{DIGEST.hex()[:2]}/{DIGEST.hex()}", "identity")]


async def test_a_chunk_may_be_named_by_sha256() -> None:
    async with origin_of(good) as origin:
        assert await origin.fetch_chunk(sha256(DATA).digest(), len(DATA), "sha256") == DATA


async def test_a_manifest_is_named_by_its_digest() -> None:
    async with origin_of(good) as origin:
        assert await origin.fetch_manifest(manifest_digest(DATA), len(DATA)) == DATA


@pytest.mark.parametrize(
    "bad, outcome",
    [
        (always(500), Outcome.FAILING),
        (always(503), Outcome.FAILING),
        (always(429), Outcome.FAILING),
        (always(404), Outcome.MISSING),
        (always(416), Outcome.REFUSED),
        (always(206, DATA), Outcome.REFUSED),
        (always(302, Location="http://elsewhere/"), Outcome.REDIRECTED),
        (always(302, Location="https://s1:80/"), Outcome.REDIRECTED),
        (always(302), Outcome.REFUSED),
        (always(307, Location="http://s0:80/for/ever"), Outcome.REDIRECTED),
        (always(200, DATA[:-1]), Outcome.WRONG_LENGTH),
        (always(200, DATA + b"x"), Outcome.WRONG_LENGTH),
        (always(200, b"Chunk" * 100), Outcome.CORRUPT),
        (silent, Outcome.STALLED),
        (stalls_in_mid_body, Outcome.STALLED),
        (drips, Outcome.STALLED),
    ],
)
async def test_the_next_source_is_asked_when_one_fails(
    bad: Handler, outcome: Outcome, autojump_clock: MockClock
) -> None:
    async with origin_of(bad, good) as origin:
        assert await fetch(origin) == DATA
        assert outcomes(origin) == [{outcome.value: 1}, {"ok": 1}]


async def test_a_stalled_source_is_left_within_three_seconds(autojump_clock: MockClock) -> None:
    async with origin_of(stalls_in_mid_body, good) as origin:
        begun = trio.current_time()
        await fetch(origin)
        assert trio.current_time() - begun <= STALL_S + 0.1


async def test_a_source_that_drips_is_left_too(autojump_clock: MockClock) -> None:
    async with origin_of(drips, good) as origin:
        begun = trio.current_time()
        await fetch(origin)
        assert trio.current_time() - begun <= PATIENCE_S + len(DATA) / SLOWEST_BYTES_PER_S + 0.1


async def test_an_endless_answer_is_not_read_to_its_end(nursery: trio.Nursery) -> None:
    network, sent = MemoryNetwork(), 0
    listener = await network.host("s0").listen("s0:80")

    async def endless() -> None:
        nonlocal sent
        stream = await listener.accept()
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        with pytest.raises(trio.BrokenResourceError):
            while sent < 10_000_000:
                await stream.send_all(bytes(1000))
                sent += 1000

    nursery.start_soon(endless)
    async with client(network.host("client")) as http:
        origin = Origin(http, [Source("shield", "http://s0:80")], Random(1))
        with pytest.raises(OriginError, match="more than 500 bytes"):
            await fetch(origin)
    assert sent < 1_000_000


async def test_an_answer_that_says_it_is_too_long_is_not_read() -> None:
    async with origin_of(always(200, bytes(1_000_000))) as origin:
        with pytest.raises(OriginError, match="1000000 bytes, 500 expected"):
            await fetch(origin)
        assert origin.bytes_by_source == {"shield": 0}


async def test_bytes_of_failed_attempts_are_counted_too(autojump_clock: MockClock) -> None:
    async with origin_of(stalls_in_mid_body, good) as origin:
        await fetch(origin)
        assert origin.bytes_by_source == {"shield": 100, "cdn": len(DATA)}


async def test_when_all_fail_the_error_says_what_each_answered() -> None:
    async with origin_of(always(500), always(404)) as origin:
        with pytest.raises(OriginError) as caught:
            await fetch(origin)
    assert caught.value.reason.endswith(": http://s0:80/: HTTP 500; http://s1:80/: HTTP 404")


async def test_an_origin_error_can_not_be_changed() -> None:
    error = OriginError("why", 1.0)
    with pytest.raises(AttributeError):
        error.reason = "other"  # type: ignore[misc]


async def test_a_resting_source_is_not_asked(autojump_clock: MockClock) -> None:
    async with origin_of(always(503, Retry_After="30")) as origin:
        for _ in range(5):
            with pytest.raises(OriginError):
                await fetch(origin)
        assert outcomes(origin) == [{"failing": 1}]
        assert origin.next_retry() - trio.current_time() == pytest.approx(30, abs=0.1)


async def test_a_source_is_asked_again_after_its_rest(autojump_clock: MockClock) -> None:
    async with origin_of(always(503)) as origin:
        for _ in range(3):
            with pytest.raises(OriginError) as caught:
                await fetch(origin)
            await trio.sleep_until(caught.value.retry_at)
        assert outcomes(origin) == [{"failing": 3}]


@pytest.mark.parametrize(
    "retry_after, rests_s",
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60),
        ("Thu, 01 Jan 1970 10:00:00 GMT", RETRY_AFTER_MAX_S),
        ("Wed, 31 Dec 1969 23:00:00 GMT", 0),
        ("9" * 400, RETRY_AFTER_MAX_S),
        ("soon", 0),
        ("-5", 0),
    ],
    ids=["a date", "a date tomorrow", "a date gone by", "for ever", "a word", "a negative number"],
)
async def test_retry_after_is_kept_within_reason(retry_after: str, rests_s: float, autojump_clock: MockClock) -> None:
    async with origin_of(always(503, Retry_After=retry_after)) as origin:  # whose clock stands at the epoch
        with pytest.raises(OriginError):
            await fetch(origin)
        rest_s = origin.next_retry() - trio.current_time()
        assert rests_s - 0.1 <= rest_s <= rests_s + BACKOFF_BASE_S


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nchunk",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    ],
    ids=["hangs up", "no HTTP", "ends early", "no length", "bad chunks", "endless head"],
)
async def test_what_breaks_the_rules_of_http_is_an_outcome_like_others(said: bytes, nursery: trio.Nursery) -> None:
    network = MemoryNetwork()
    listener = await network.host("bad").listen("bad:80")

    async def misbehave() -> None:
        while True:
            stream = await listener.accept()
            try:
                await stream.receive_some()
                await stream.send_all(said)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # it had enough
            await stream.aclose()

    nursery.start_soon(misbehave)
    server = HttpServer(utc_now=lambda: 0.0)
    nursery.start_soon(server.serve, await network.host("good").listen("good:80"), good)
    async with client(network.host("client")) as http:
        sources = [Source("shield", "http://bad:80"), Source("cdn", "http://good:80", tier=1)]
        origin = Origin(http, sources, Random(1))
        assert await fetch(origin) == DATA
        assert outcomes(origin) == [{"unreachable": 1}, {"ok": 1}]
    nursery.cancel_scope.cancel()


async def test_nobody_listening_is_an_outcome() -> None:
    async with client(MemoryNetwork().host("client")) as http:
        origin = Origin(http, [Source("shield", "http://nobody:80")], Random(1))
        with pytest.raises(OriginError, match="nobody listens"):
            await fetch(origin)
        assert outcomes(origin) == [{"unreachable": 1}]


async def test_metadata_that_is_not_there_is_none_and_no_other_source_is_asked() -> None:
    async with origin_of(always(404), good) as origin:
        assert await origin.fetch_metadata("metadata/2.root.json", 1000) is None
        assert outcomes(origin) == [{"missing": 1}, {}]


async def test_metadata_may_be_shorter_than_its_bound() -> None:
    async with origin_of(good) as origin:
        assert await origin.fetch_metadata("metadata/timestamp.json", 1000) == DATA


async def test_metadata_beyond_its_bound_is_refused() -> None:
    async with origin_of(good) as origin:
        with pytest.raises(OriginError, match="500 bytes, 100 expected"):
            await origin.fetch_metadata("metadata/timestamp.json", 100)


async def test_metadata_may_come_packed() -> None:
    async with origin_of(always(200, pack(DATA * 10), Content_Encoding="gzip")) as origin:
        assert await origin.fetch_metadata("metadata/1.root.json", 10_000) == DATA * 10


async def test_packed_metadata_beyond_its_bound_is_refused() -> None:
    async with origin_of(always(200, pack(bytes(10_001)), Content_Encoding="gzip")) as origin:
        with pytest.raises(OriginError, match="too much in it"):
            await origin.fetch_metadata("metadata/1.root.json", 10_000)


async def test_content_is_never_unpacked() -> None:
    async with origin_of(always(200, pack(DATA), Content_Encoding="gzip")) as origin:
        with pytest.raises(OriginError):
            await fetch(origin)
