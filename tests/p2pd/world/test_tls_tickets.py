"""TLS on real sockets of loopback: coming back costs half."""

from pathlib import Path

import pytest
import trio

from p2pd.world import tls_network
from p2pd.world.tls_network import TlsNetwork
from tests.p2pd.world.papers import Papers

TIMEOUT_S = 20
HERE = "127.0.0.1:0"


async def visit(alice: TlsNetwork, tracker: TlsNetwork, times: int, between_s: float = 0.0) -> list[bool]:
    """Of so many visits, one after the other: whether the handshake was a short one."""
    listener = await tracker.listen(HERE)
    short: list[bool] = []

    async def serve() -> None:
        for _ in range(times):
            stream = await listener.accept()
            await stream.handshake()
            await stream.send_all(b"welcome")
            short.append(stream.pump.resumed)
            assert stream.identity.node == "alice"
            await stream.aclose()

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            for _ in range(times):
                stream = await alice.dial(listener.address)
                assert await stream.receive_some() == b"welcome"
                assert stream.identity.role == "tracker"
                await stream.aclose()
                await trio.sleep(between_s)
    await listener.aclose()
    return short


async def test_who_comes_back_does_so_with_a_ticket(tmp_path: Path) -> None:
    papers = Papers(tmp_path / "papers")
    assert await visit(papers.member("alice"), papers.member("tracker", "tracker"), 3) == [False, True, True]


async def test_a_ticket_is_good_after_its_connection_was_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_network, "LOOK_S", 0.01)
    papers = Papers(tmp_path / "papers")
    alice, tracker = papers.member("alice"), papers.member("tracker", "tracker")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.keep)
        assert await visit(alice, tracker, 2, between_s=0.1) == [False, True]
        nursery.cancel_scope.cancel()


async def test_a_ticket_is_good_where_no_connection_may_be_kept_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_network, "TICKETS_MAX", 0)
    papers = Papers(tmp_path / "papers")
    assert await visit(papers.member("alice"), papers.member("tracker", "tracker"), 2) == [False, True]
