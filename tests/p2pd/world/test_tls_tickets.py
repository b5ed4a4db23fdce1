"""TLS on real sockets of loopback: coming back costs half."""

from pathlib import Path

import trio

from tests.p2pd.world.papers import Papers

TIMEOUT_S = 20
HERE = "127.0.0.1:0"


async def test_who_comes_back_does_so_with_a_ticket(tmp_path: Path) -> None:
    papers = Papers(tmp_path / "papers")
    alice, tracker = papers.member("alice"), papers.member("tracker", "tracker")
    listener = await tracker.listen(HERE)
    short: list[bool] = []

    async def serve() -> None:
        for _ in range(2):
            stream = await listener.accept()
            await stream.handshake()
            await stream.send_all(b"welcome")
            short.append(stream.pump.resumed)
            assert stream.identity.node == "alice"
            await stream.aclose()

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            for _ in range(2):
                stream = await alice.dial(listener.address)
                assert await stream.receive_some() == b"welcome"
                assert stream.identity.role == "tracker"
                await stream.aclose()
    assert short == [False, True]
    await listener.aclose()
