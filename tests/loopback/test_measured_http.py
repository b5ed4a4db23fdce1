"""The kernel tells how an HTTP source's connection fares, so that the background can yield by it."""

from random import Random

import trio
from blake3 import blake3

from p2pd.lines import KEPT_S
from p2pd.origin import Origin
from p2pd.origin_health import Source
from p2pd.world.http import client

DATA = b"chunk" * 100


async def answer(stream: trio.abc.Stream) -> None:
    """The chunk, as often as it is asked for."""
    async with stream:
        while await stream.receive_some():
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(DATA), DATA))


async def test_a_connection_is_measured_once_however_many_chunks_come_over_it(nursery: trio.Nursery) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, answer, [listener])
    url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
    async with client() as http:
        origin = Origin(http, [Source("cdn", url)], Random(1))
        await origin.fetch_chunk(blake3(DATA).digest(), len(DATA))
        (line,) = origin.lines
        seen = [line.transit()]
        for _ in range(2):
            await origin.fetch_chunk(blake3(DATA).digest(), len(DATA))
            assert list(origin.lines) == [line]
            line.hold_to(1e6)
            seen.append(line.transit())
    transits = [one for one in seen if one is not None]
    assert [one.address for one in transits] == ["127.0.0.1:http-1"] * 3
    assert transits[0].delivered < transits[-1].delivered
    assert all(0 < one.shortest_s <= one.round_trip_s < KEPT_S for one in transits)
    assert line.transit() is None  # it is closed
    nursery.cancel_scope.cancel()
