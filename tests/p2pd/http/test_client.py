"""httpx over the network seam."""

import httpx
import pytest
import trio
from trio.testing import MockClock

from p2pd.httpmessages import Request, Response
from p2pd.httpserver import Limits
from p2pd.world.http import KEEPALIVE_S, client
from tests.fakes.network import MemoryNetwork

from .helpers import serving

URL = "http://server:80"


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


async def test_a_request_travels_through_the_seam(network: MemoryNetwork) -> None:
    async with serving(network), client(network.host("client")) as http:
        response = await http.get(f"{URL}/a?b")
    assert (response.status_code, response.text) == (200, "GET /a?b")


async def test_a_connection_is_used_again(network: MemoryNetwork) -> None:
    async with serving(network), client(network.host("client")) as http:
        for _ in range(3):
            await http.get(URL)
    assert network.dials == {"server:80": 1}


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async with serving(network), client(network.host("client")) as http:
        await http.get(URL)
        await trio.sleep(KEEPALIVE_S + 1)
        await http.get(URL)
    assert network.dials == {"server:80": 2}


async def test_nobody_there_is_a_connect_error(network: MemoryNetwork) -> None:
    async with client(network.host("client")) as http:
        with pytest.raises(httpx.ConnectError, match="nobody listens"):
            await http.get(URL)


async def test_a_silent_server_is_a_read_timeout(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async def silent(request: Request) -> Response:
        await trio.sleep_forever()
        return Response(200)

    async with serving(network, silent), client(network.host("client")) as http:
        with pytest.raises(httpx.ReadTimeout, match="nothing from server:80"):
            await http.get(URL)


async def test_a_dial_that_takes_too_long_is_a_connect_timeout(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async with serving(network), client(network.host("client")) as http:
        network.partition("server")
        with pytest.raises(httpx.ConnectTimeout, match="did not answer"):
            await http.get(URL, timeout=1.0)


async def test_a_connection_that_breaks_in_mid_answer_is_a_read_error(
    network: MemoryNetwork, autojump_clock: MockClock
) -> None:
    async def large(request: Request) -> Response:
        return Response(200, body=bytes(1_000_000))

    async with serving(network, large), client(network.host("client")) as http:
        async with http.stream("GET", URL) as response:
            network.drop("server")
            with pytest.raises(httpx.ReadError):
                await response.aread()


async def test_a_redirect_is_not_followed(network: MemoryNetwork) -> None:
    async def elsewhere(request: Request) -> Response:
        return Response(302, {"Location": "http://elsewhere:80/"})

    async with serving(network, elsewhere), client(network.host("client")) as http:
        assert (await http.get(URL)).status_code == 302
    assert "elsewhere:80" not in network.dials


async def test_https_is_not_carried(network: MemoryNetwork) -> None:
    async with serving(network), client(network.host("client")) as http:
        with pytest.raises(httpx.UnsupportedProtocol, match="https is not carried"):
            await http.get("https://server:80/")


async def test_only_so_many_connections_are_made(network: MemoryNetwork, autojump_clock: MockClock) -> None:
    async def slow(request: Request) -> Response:
        await trio.sleep(1)
        return Response(200)

    async with serving(network, slow, Limits()) as server, client(network.host("client"), connections_max=4) as http:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(http.get, URL)
        assert (network.dials["server:80"], server.snapshot().requests) == (4, 20)
