"""The server's manners towards good and bad clients, in virtual time."""

from collections.abc import AsyncGenerator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pd.httpmessages import HEAD_BYTES_MAX, Request, Response, StreamedBody
from p2pd.httpserver import Limits
from tests.fakes.network import MemoryNetwork

from .helpers import RawClient, serving

GET = "GET {} HTTP/1.1\nHost: x\n\n"
LIMITS = Limits(connections_max=2, head_s=10, send_s=5)


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


async def dial(network: MemoryNetwork) -> RawClient:
    return await RawClient.dial(network.host("client"))


async def slow(request: Request) -> Response:
    await trio.sleep(3)
    return Response(200, body=request.path.encode())


async def large(request: Request) -> Response:
    return Response(200, body=bytes(1_000_000))


async def test_a_request_is_answered(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network):
        client = await dial(network)
        await client.send(GET.format("/a?b"))
        status, fields, body = await client.answer()
    assert (status, body, fields["date"]) == (200, b"GET /a?b", "tue, 14 nov 2023 22:13:20 gmt")


async def test_a_connection_serves_many_requests(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network):
        client = await dial(network)
        for path in ("/1", "/2"):
            await client.send(GET.format(path))
            assert (await client.answer())[2] == f"GET {path}?".encode()
    assert network.dials == {"server:80": 1}


async def test_pipelined_requests_are_answered_in_order(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, slow):
        client = await dial(network)
        await client.send("".join(GET.format(f"/{number}") for number in range(50)))
        assert [(await client.answer())[2] for _ in range(50)] == [f"/{number}".encode() for number in range(50)]


async def test_an_endless_pipeline_waits_in_the_clients_own_buffers(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async with serving(network, slow):
        client = await dial(network)
        with trio.move_on_after(2) as scope:
            await client.send(GET.format("/x") * 100_000)
    assert scope.cancelled_caught


async def test_a_head_request_gets_a_length_and_no_body(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, large):
        client = await dial(network)
        await client.send("HEAD / HTTP/1.1\nHost: x\n\n" + GET.format("/"))
        _, fields, _ = await client.answer(with_body=False)
        assert (fields["content-length"], (await client.answer())[0]) == ("1000000", 200)


async def test_a_streamed_body_arrives_whole(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async def parts() -> AsyncGenerator[bytes, None]:
        for letter in (b"a", b"b", b"c"):
            await trio.sleep(1)
            yield letter * 100_000

    async def handler(request: Request) -> Response:
        return Response(200, body=StreamedBody(300_000, parts()))

    async with serving(network, handler):
        client = await dial(network)
        await client.send(GET.format("/"))
        assert (await client.answer())[2] == b"a" * 100_000 + b"b" * 100_000 + b"c" * 100_000


async def test_who_asks_to_close_is_closed(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network):
        client = await dial(network)
        await client.send("GET / HTTP/1.1\nHost: x\nConnection: close\n\n")
        _, fields, _ = await client.answer()
        assert (fields["connection"], await client.closed()) == ("close", True)


async def test_a_body_is_refused_and_the_refusal_arrives(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network) as server:
        client = await dial(network)
        await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 50000\n\n" + "x" * 50_000)
        status, _, _ = await client.answer()
        assert (status, await client.closed(), server.snapshot().bad_requests) == (413, True, 1)


async def test_nothing_after_a_refused_body_is_taken_for_a_request(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async with serving(network) as server:
        client = await dial(network)
        await client.send("POST / HTTP/1.1\nHost: x\nContent-Length: 40\n\n" + GET.format("/smuggled"))
        await client.answer()
        assert (await client.closed(), server.snapshot().requests) == (True, 0)


async def test_an_endless_head_is_refused(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network):
        client = await dial(network)
        await client.send("GET / HTTP/1.1\nHost: x\nA: " + "a" * HEAD_BYTES_MAX)
        assert (await client.answer())[0] == 431


async def test_an_idle_connection_is_closed(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, limits=LIMITS):
        client = await dial(network)
        with trio.fail_after(12):
            assert await client.closed()


async def test_a_head_that_drips_does_not_hold_a_connection(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, limits=LIMITS) as server:
        client = await dial(network)
        with pytest.raises(trio.BrokenResourceError):
            for letter in GET.format("/" + "a" * 100):
                await client.send(letter)
                await trio.sleep(1)
        assert server.snapshot().timed_out == 1


async def test_who_does_not_read_an_answer_is_left(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, large, limits=LIMITS) as server:
        client = await dial(network)
        await client.send(GET.format("/"))
        await trio.sleep(7)
        assert (server.snapshot().connections, server.snapshot().timed_out) == (0, 1)


async def test_a_slow_handler_is_waited_for(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async def handler(request: Request) -> Response:
        await trio.sleep(100)
        return Response(200)

    async with serving(network, handler, limits=LIMITS):
        client = await dial(network)
        await client.send(GET.format("/"))
        assert (await client.answer())[0] == 200


async def test_one_connection_too_many_is_told_to_come_back(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, limits=LIMITS) as server:
        first, second, third = [await dial(network) for _ in range(3)]
        status, fields, _ = await third.answer()
        assert (status, fields["retry-after"], server.snapshot().refused) == (503, "1", 1)
        await first.aclose()
        await second.aclose()


async def test_a_client_that_breaks_off_hurts_nobody(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async with serving(network, slow):
        await (await dial(network)).send(GET.format("/"))
        network.drop("client")
        client = await dial(network)
        await client.send(GET.format("/other"))
        assert (await client.answer())[2] == b"/other"


async def test_a_server_that_stops_lets_answers_end_and_closes_the_idle(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async with serving(network, slow) as server:
        busy, idle = await dial(network), await dial(network)
        await busy.send(GET.format("/last"))
        await wait_all_tasks_blocked()
        server.stop()
        assert await idle.closed()
        _, fields, body = await busy.answer()
        assert (body, fields["connection"], await busy.closed()) == (b"/last", "close", True)
        with pytest.raises(OSError, match="nobody listens"):
            await dial(network)
