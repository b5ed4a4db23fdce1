"""What Linux says of a TCP connection, and what it can be asked for."""

import socket

import trio

from p2pd.world import tcp, tcp_info
from p2pd.world.tcp import TcpSocket

SO_MAX_PACING_RATE = 47
LOOPBACK = "127.0.0.1"


async def a_connection() -> tuple[TcpSocket, TcpSocket]:
    """Both ends."""
    listener = await tcp.listen(f"{LOOPBACK}:0")
    dialled = await tcp.dial(tcp.bound_address(listener))
    accepted = await tcp.accept(listener)
    await listener.aclose()
    return dialled, accepted


async def test_each_packet_that_arrives_counts() -> None:
    ours, theirs = await a_connection()
    before = ours.transit()
    await ours.send_all([b"x"])
    await theirs.receive_into(bytearray(1))
    await theirs.send_all([b"y"])
    await ours.receive_into(bytearray(1))
    after = ours.transit()
    assert before is not None
    assert after is not None
    assert after.delivered == before.delivered + 1
    assert 0 < after.shortest_s <= after.round_trip_s < 1
    assert after.address == ours.remote_address
    for end in (ours, theirs):
        end.close()


async def test_a_connection_that_is_closed_tells_nothing() -> None:
    ours, theirs = await a_connection()
    for end in (ours, theirs):
        end.close()
    assert ours.transit() is None
    ours.hold_to(1000.0)


async def test_who_is_held_back_sends_evenly_and_lets_others_go_first() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert tcp_info.transit(here, "") is None
    with socket.create_server((LOOPBACK, 0)) as server, socket.create_connection(server.getsockname()) as connection:
        tcp_info.be_gentle(connection)
        tcp_info.pace(connection, 123_456.7)
        assert connection.getsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE) == 123_457
        assert connection.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2 == 1
        tcp_info.pace(connection, float("inf"))
        assert connection.getsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE) & 0xFFFFFFFF == 0xFFFFFFFF


async def test_in_the_background_little_waits_unread() -> None:
    ours, theirs = await a_connection()
    ours.hold_to(1e6)
    sent = 0
    with trio.move_on_after(0.5):
        while True:
            await theirs.send_all([bytes(64 * 1024)])
            sent += 64 * 1024
    assert sent < 32 * tcp_info.UNREAD_BYTES
    for end in (ours, theirs):
        end.close()
