"""What the pretended hosts say is what a tracker hears of a real one."""

import pytest

from benchmarks.tracker.words import ANSWERED, address_of, words_of
from p2pd.policy.announcing import PEERS_REFRESHED, PEERS_WANTED
from p2pd.wire.announce import Announce, Register, Renewed, SeedersRequest, Watch
from p2pd.wire.codec import decode_tracker, encode
from p2pd.wire.framing import FrameReader


def messages(frames: bytes) -> list[object]:
    return [decode_tracker(body) for body in FrameReader().feed(frames) if isinstance(body, bytes)]


def test_every_host_has_an_address_of_its_own() -> None:
    addresses = {address_of(number) for number in range(100_000)}
    assert len(addresses) == 100_000
    assert all(part.startswith("127.") and max(map(int, part.split("."))) <= 250 for part in addresses)


def test_a_host_registers_under_its_own_name() -> None:
    register, watch, seeders, announce = messages(words_of(7).first)
    assert isinstance(register, Register)
    assert (type(watch), type(seeders), type(announce)) == (Watch, SeedersRequest, Announce)
    assert (register.node, register.role) == ("host-7", "daemon")


@pytest.mark.parametrize("what, wanted", [("idle", 0), ("busy", PEERS_REFRESHED), ("newcomer", PEERS_WANTED)])
def test_an_announce_is_one_message_that_wants_what_a_daemon_would_want(what: str, wanted: int) -> None:
    (announce,) = messages(getattr(words_of(7), what))
    assert isinstance(announce, Announce)
    assert announce.swarms[0].wanted == wanted


def test_the_end_of_an_answer_is_recognised_unread() -> None:
    assert ANSWERED in encode(Renewed(30.0))
    assert ANSWERED not in encode(SeedersRequest())
