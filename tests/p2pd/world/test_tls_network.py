"""TLS on real sockets of loopback: who gets in, who does not, and how it ends."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from p2pd.world import gate, tls_network
from p2pd.world.network import Identity, UnprovenError
from p2pd.world.real_network import RealNetwork
from p2pd.world.tls_network import TlsNetwork
from p2pd.world.tls_stream import TlsStream
from tests.p2pd.world.papers import DAY_S, Papers

TIMEOUT_S = 20
HERE = "127.0.0.1:0"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


@asynccontextmanager
async def connection(
    here: TlsNetwork, there: TlsNetwork, *, strangers: bool = False
) -> AsyncIterator[tuple[TlsStream, TlsStream]]:
    """Both ends after the handshake; the dialled one's is the second."""
    listener = await there.listen(HERE, strangers=strangers)
    ends: list[TlsStream] = []

    async def accept() -> None:
        ends.append(await listener.accept())
        await ends[0].handshake()

    try:
        with trio.fail_after(TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accept)
                dialled = await here.dial(listener.address)
            yield dialled, ends[0]
            await dialled.aclose()
            await ends[0].aclose()
    finally:
        await listener.aclose()


async def refused(here: TlsNetwork, there: TlsNetwork) -> tuple[str, str]:
    """What both ends say of a handshake or a first word that fails."""
    listener = await there.listen(HERE)
    said = ["", ""]

    async def accept() -> None:
        stream = await listener.accept()
        try:
            await stream.handshake()
        except trio.BrokenResourceError as error:
            said[1] = str(error)
        await stream.aclose()

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            try:
                stream = await here.dial(listener.address)
            except UnprovenError as error:
                said[0] = str(error)
            else:
                try:
                    await stream.receive_some()
                except trio.BrokenResourceError as error:
                    said[0] = str(error)
                await stream.aclose()
        await listener.aclose()
    return said[0], said[1]


async def test_both_ends_know_who_is_there(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob", "seeder")) as (here, there):
        assert here.identity == Identity("bob", "eu", "seeder", proven=True, fleet="fleet")
        assert there.identity == Identity("alice", "eu", "daemon", proven=True, fleet="fleet")


async def test_bytes_go_both_ways_in_order_and_the_end_is_seen(papers: Papers) -> None:
    bulk = os.urandom(3_000_000)
    async with connection(papers.member("alice"), papers.member("bob")) as (here, there):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(there.send_all, b"head", memoryview(bulk), bytearray(b"tail"))
            got, buffer = bytearray(), bytearray(300_000)
            while len(got) < len(bulk) + 8:
                got += memoryview(buffer)[: await here.receive_into(buffer)]
        assert bytes(got) == b"head" + bulk + b"tail"
        await here.send_all(b"ping")
        assert [await there.receive_some(2), await there.receive_some()] == [b"pi", b"ng"]
        await there.aclose()
        assert await here.receive_some() == b""
        assert await here.receive_into(buffer) == 0


@pytest.mark.parametrize("least", [1, 20_000, 100_000, 1_000_000])
async def test_bulk_arrives_whole_however_much_is_waited_for_at_once(papers: Papers, least: int) -> None:
    bulk = os.urandom(1_000_000)
    async with connection(papers.member("alice"), papers.member("bob")) as (here, there):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(there.send_all, bulk)
            got, buffer = bytearray(), bytearray(300_000)
            while len(got) < len(bulk):
                wanted = min(least, len(bulk) - len(got))
                got += memoryview(buffer)[: await here.receive_into(buffer, wanted)]
        assert bytes(got) == bulk


async def test_many_connections_share_one_buffer_and_don_t_mix(papers: Papers) -> None:
    alice, bob = papers.member("alice"), papers.member("bob")
    listener = await bob.listen(HERE)
    texts = [os.urandom(400_000) for _ in range(6)]

    async def serve() -> None:
        stream = await listener.accept()
        nursery.start_soon(serve)
        await stream.handshake()
        number = int((await stream.receive_some()).decode())
        await stream.send_all(texts[number])
        await stream.aclose()

    async def fetch(number: int) -> None:
        stream = await alice.dial(listener.address)
        await stream.send_all(str(number).encode())
        got = bytearray()
        while part := await stream.receive_some():
            got += part
        await stream.aclose()
        assert got == texts[number]
        fetched.append(number)

    fetched: list[int] = []
    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            async with trio.open_nursery() as fetching:
                for number in range(len(texts)):
                    fetching.start_soon(fetch, number)
            nursery.cancel_scope.cancel()
    await listener.aclose()
    assert sorted(fetched) == list(range(len(texts)))


async def test_a_connection_cut_without_a_goodbye_is_broken(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, there):
        there.socket.close()
        with pytest.raises(trio.BrokenResourceError, match="without a goodbye"):
            await here.receive_some()


async def test_a_message_that_was_interrupted_ends_the_connection(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, _):
        with trio.move_on_after(0.05):
            await here.send_all(bytes(50_000_000))
        with pytest.raises(trio.BrokenResourceError, match="in part"):
            await here.send_all(b"more")


async def test_two_tasks_can_t_send_at_once(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, _), trio.open_nursery() as nursery:
        nursery.start_soon(here.send_all, bytes(50_000_000))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await here.send_all(b"me too")
        nursery.cancel_scope.cancel()


async def test_closing_never_waits_for_who_does_not_read(papers: Papers) -> None:
    async with connection(papers.member("alice"), papers.member("bob")) as (here, _):
        with trio.move_on_after(0.05):
            await here.send_all(bytes(50_000_000))
        with trio.fail_after(1):
            await here.aclose()


async def test_nothing_can_be_said_before_the_handshake(papers: Papers) -> None:
    bob = papers.member("bob")
    listener = await bob.listen(HERE)
    plain = await RealNetwork().dial(listener.address)
    stream = await listener.accept()
    with pytest.raises(RuntimeError, match="first the handshake"):
        await stream.send_all(b"too early")
    for end in (plain, stream, listener):
        await end.aclose()


async def test_who_is_of_another_fleet_is_refused_by_both(papers: Papers, tmp_path: Path) -> None:
    other = Papers(tmp_path / "other").member("mallory")
    here, there = await refused(papers.member("alice"), other)
    assert "certificate" in here
    assert there
    here, there = await refused(other, papers.member("alice"))
    assert "certificate" in here
    assert there


async def test_one_authority_for_two_fleets_does_not_make_them_one(papers: Papers) -> None:
    alice = papers.member("alice")
    papers.fleet = "other"
    here, there = await refused(papers.member("bob"), alice)
    assert "of fleet 'fleet', not 'other'" in here + there


async def test_who_speaks_no_tls_gets_nothing(papers: Papers) -> None:
    listener = await papers.member("bob").listen(HERE)
    plain = await RealNetwork().dial(listener.address)
    stream = await listener.accept()
    await plain.send_all(b"GET / HTTP/1.1\r\n\r\n")
    with trio.fail_after(TIMEOUT_S), pytest.raises(trio.BrokenResourceError):
        await stream.handshake()
    for end in (plain, stream, listener):
        await end.aclose()


async def test_who_says_nothing_is_given_up(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_network, "HANDSHAKE_S", 0.1)
    listener = await papers.member("bob").listen(HERE)
    plain = await RealNetwork().dial(listener.address)
    stream = await listener.accept()
    with trio.fail_after(TIMEOUT_S), pytest.raises(trio.BrokenResourceError, match="in time"):
        await stream.handshake()
    for end in (plain, stream, listener):
        await end.aclose()


async def test_half_hellos_can_t_keep_others_out(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PLACES", 2)
    monkeypatch.setattr(gate, "PLACES_PER_SOURCE", 2)
    monkeypatch.setattr(tls_network, "PLACE_S", 0.1)
    alice, bob = papers.member("alice"), papers.member("bob")
    listener = await bob.listen(HERE)

    async def serve() -> None:
        while True:
            nursery.start_soon(shake, await listener.accept())

    async def shake(stream: TlsStream) -> None:
        try:
            await stream.handshake()
        except trio.BrokenResourceError:
            pass
        finally:
            await stream.aclose()

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            hostile = [await RealNetwork().dial(listener.address) for _ in range(6)]
            for one in hostile:
                await one.send_all(b"\x16\x03\x01")  # the first bytes of a ClientHello
            honest = await alice.dial(listener.address)
            await honest.aclose()
            nursery.cancel_scope.cancel()
        for one in hostile:
            await one.aclose()
        await listener.aclose()


async def test_a_stranger_gets_in_only_where_strangers_may(papers: Papers) -> None:
    stranger, tracker = papers.stranger(), papers.member("tracker", "tracker")
    here, there = await refused(stranger, tracker)
    assert "certificate required" in here
    assert "did not return a certificate" in there
    async with connection(stranger, tracker, strangers=True) as (here_end, there_end):
        assert here_end.identity.role == "tracker"
        assert there_end.identity == Identity(stranger=True)
    async with connection(papers.member("alice"), tracker, strangers=True) as (_, there_end):
        assert there_end.identity.node == "alice"


async def test_an_expired_certificate_is_refused_a_daemons_a_day_later(papers: Papers) -> None:
    alice, tracker = papers.member("alice"), papers.member("tracker", "tracker", life_s=7 * DAY_S)
    papers.now += 2 * DAY_S - 60
    async with connection(alice, tracker):
        pass
    papers.now += 120
    here, there = await refused(alice, tracker)
    assert "expired" in there
    assert here


async def test_a_clock_that_is_a_day_behind_takes_a_new_certificate(papers: Papers) -> None:
    alice, bob = papers.member("alice"), papers.member("bob")
    papers.now -= DAY_S - 60
    async with connection(alice, bob):
        pass
    papers.now -= 120
    here, _ = await refused(alice, bob)
    assert "is a clock wrong?" in here


async def test_who_was_revoked_is_cut_off_and_not_let_in_again(papers: Papers) -> None:
    alice, bob = papers.member("alice"), papers.member("bob")
    async with connection(alice, bob) as (here, there):
        bob.revoke([papers.revoke("alice")])
        with pytest.raises(trio.BrokenResourceError, match="alice was revoked"):
            await there.receive_some()
        with pytest.raises(trio.BrokenResourceError):
            await here.receive_some()
    _, there_said = await refused(alice, bob)
    assert "alice was revoked" in there_said
    here_said, _ = await refused(bob, alice)
    assert "alice was revoked" in here_said


async def test_lists_that_are_forged_or_older_change_nothing(papers: Papers, tmp_path: Path) -> None:
    alice, bob = papers.member("alice"), papers.member("bob")
    older, newer = papers.revoke("alice"), papers.revoke()
    forger = Papers(tmp_path / "other")
    forger.serials = papers.serials
    bob.revoke([newer, older, forger.revoke("alice"), b"nonsense"])
    async with connection(alice, bob) as (_, there):
        assert there.identity.node == "alice"


async def test_lists_are_remembered_by_the_next_process(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_network, "LOOK_S", 0.01)
    alice, bob = papers.member("alice"), papers.member("bob")
    bob.revoke([papers.revoke("alice")])
    with trio.move_on_after(0.2):
        await bob.keep()
    again = TlsNetwork(type(bob.credentials)(bob.credentials.files), lambda: papers.now)
    _, there = await refused(alice, again)
    assert "alice was revoked" in there


async def test_connections_end_with_the_certificate_that_opened_them(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_network, "LOOK_S", 0.01)
    monkeypatch.setattr(tls_network, "SWEEP_S", 0.01)
    alice, bob = papers.member("alice"), papers.member("bob", "seeder")
    async with connection(alice, bob) as (here, _), trio.open_nursery() as nursery:
        nursery.start_soon(alice.keep)
        papers.now += DAY_S + 1
        with pytest.raises(trio.BrokenResourceError, match="expired"):
            await here.receive_some()
        nursery.cancel_scope.cancel()


async def test_new_papers_on_disk_are_used_for_new_connections(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_network, "LOOK_S", 0.01)
    alice, bob = papers.member("alice"), papers.member("bob")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.keep)
        async with connection(alice, bob) as (_, before):
            before_own = alice.credentials.own
            papers.files("alice")
            with trio.fail_after(TIMEOUT_S):
                while alice.credentials.own == before_own:
                    await trio.sleep(0.01)
            async with connection(alice, bob) as (_, after):
                assert before.certificate
                assert after.certificate
                assert before.certificate.serial != after.certificate.serial == papers.serials["alice"]
                await before.send_all(b"still here")
        nursery.cancel_scope.cancel()


async def test_papers_that_are_half_written_are_not_taken(papers: Papers) -> None:
    alice = papers.member("alice")
    (papers.directory / "alice.pem").write_text("-----BEGIN CERT")
    assert not alice.look()
    papers.files("alice")
    assert alice.look()


async def test_a_ticket_does_not_outlive_a_revocation(papers: Papers) -> None:
    alice, tracker = papers.member("alice"), papers.member("tracker", "tracker")
    async with connection(alice, tracker) as (here, there):
        await there.send_all(b"welcome")
        await here.receive_some()
    tracker.revoke([papers.revoke("alice")])
    _, there_said = await refused(alice, tracker)
    assert "alice was revoked" in there_said
