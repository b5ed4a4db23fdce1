"""STUN answers, read by a library that others wrote."""

import pytest
import trio
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from tracker.stun import respond
from tracker.stun_door import serve


def question() -> stun.Message:
    return stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)


@pytest.mark.parametrize("address", [("192.0.2.1", 40_000), ("2001:db8::1", 1)])
def test_a_peer_is_told_its_own_address(address: tuple[str, int]) -> None:
    asked = question()
    answer = respond(bytes(asked), *address)
    assert answer is not None
    read = stun.parse_message(answer)
    assert read.transaction_id == asked.transaction_id
    assert read.attributes["XOR-MAPPED-ADDRESS"] == address


def test_an_ipv4_peer_on_a_dual_socket_is_told_its_ipv4_address() -> None:
    answer = respond(bytes(question()), "::ffff:192.0.2.1", 5)
    assert answer is not None
    assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 5)


def test_an_answer_is_short() -> None:
    answer = respond(bytes(question()), "2001:db8::1", 1)
    assert answer is not None
    assert len(answer) <= 44


@given(st.binary(max_size=100))
def test_anything_else_is_not_answered(datagram: bytes) -> None:
    assert respond(datagram, "192.0.2.1", 1) is None or datagram[:2] == b"\x00\x01"


def test_an_answer_is_not_answered() -> None:
    answer = respond(bytes(question()), "192.0.2.1", 1)
    assert answer is not None
    assert respond(answer, "192.0.2.1", 1) is None


async def test_the_door_answers_and_outlives_nonsense() -> None:
    async with trio.open_nursery() as nursery:
        address = await nursery.start(serve, "127.0.0.1:0")
        host, _, port = address.rpartition(":")
        with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as peer, trio.fail_after(10):
            await peer.bind(("127.0.0.1", 0))
            for datagram in (b"", b"nonsense", bytes(question())):
                await peer.sendto(datagram, (host, int(port)))
            answer, _ = await peer.recvfrom(1_500)
            assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == peer.getsockname()
        nursery.cancel_scope.cancel()
