"""Two ends that shook hands and go on in sealed frames: all that is sent arrives, and nothing that was not."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.world.credentials import Credentials
from p2pd.world.sealed import KEY_BYTES, PLAIN_BYTES_MAX, PROTOCOL, TAG_BYTES, SealedFrames
from p2pd.world.tls_pump import TlsError, TlsPump
from tests.p2pd.world.papers import Papers

ROOM = 4 * PLAIN_BYTES_MAX


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Credentials, Credentials]:
    """Of one who dials and of one who is dialled."""
    made = Papers(tmp_path_factory.mktemp("papers"))
    return Credentials(made.files("alice")), Credentials(made.files("bob", "seeder"))


Both = tuple[Credentials, Credentials]


def shake_hands(papers: Both) -> tuple[TlsPump, TlsPump]:
    """The handshake of two pumps; the server's ticket is still on its way."""
    client, server = TlsPump(papers[0].client, server=False), TlsPump(papers[1].server, server=True)
    client.step()
    server.step(client.outgoing())
    client.step(server.outgoing())
    assert server.step(client.outgoing())
    return client, server


def connect(papers: Both) -> tuple[SealedFrames, SealedFrames]:
    """Both ends, each with the other's key."""
    client, server = shake_hands(papers)
    ticket = server.outgoing()
    ends = SealedFrames(client), SealedFrames(server)
    assert read(ends[0], ticket + say(ends[1], b"hello")) == b"hello"
    assert read(ends[1], say(ends[0], b"hello")) == b"hello"
    return ends


def say(end: SealedFrames, words: bytes) -> bytes:
    """As it travels."""
    return b"".join(end.seal(memoryview(words)))


def read(end: SealedFrames, arrived: bytes, room: int = ROOM) -> bytes:
    """All that can be read now, with this much room at a time."""
    buffer, plain, rest = bytearray(room), b"", memoryview(bytes(end.rest) + arrived)
    while count := end.open(rest, buffer):
        plain, rest = plain + buffer[:count], memoryview(b"")
    return plain


def test_both_ends_agree_on_it_in_the_handshake(papers: Both) -> None:
    assert [end.protocol for end in shake_hands(papers)] == [PROTOCOL, PROTOCOL]


def test_who_does_not_know_it_is_spoken_to_in_tls(papers: Both, tmp_path: Path) -> None:
    stranger = Credentials(papers[0].files)
    stranger.client.set_alpn_protocols([])
    assert [end.protocol for end in shake_hands((stranger, papers[1]))] == ["", ""]


@given(
    words=st.lists(st.integers(1, 2 * PLAIN_BYTES_MAX), min_size=1, max_size=4),
    cut=st.integers(1, 2 * PLAIN_BYTES_MAX),
    room=st.sampled_from([1000, PLAIN_BYTES_MAX, ROOM]),
)
def test_what_is_sealed_is_opened_however_it_was_cut(papers: Both, words: list[int], cut: int, room: int) -> None:
    here, there = connect(papers)
    said = [bytes([number]) * length for number, length in enumerate(words)]
    travelling = b"".join(say(here, one) for one in said)
    cut = max(cut, 5000)
    heard = [read(there, travelling[at : at + cut], room) for at in range(0, len(travelling), cut)]
    assert b"".join(heard) == b"".join(said)


def test_the_key_may_come_a_byte_at_a_time(papers: Both) -> None:
    client, server = shake_hands(papers)
    here, there = SealedFrames(client), SealedFrames(server)
    assert b"".join(read(there, bytes([one])) for one in say(here, b"at last")) == b"at last"


@given(at=st.integers(0, 419), bit=st.integers(0, 7))
def test_no_changed_bit_passes(papers: Both, at: int, bit: int) -> None:
    here, there = connect(papers)
    travelling = bytearray(say(here, bytes(400)) + say(here, b"more"))
    travelling[at] ^= 1 << bit
    with pytest.raises(TlsError):
        read(there, bytes(travelling))
        there.end_of_stream()  # of a length that grew the end is waited for


@pytest.mark.parametrize("order", [(1, 0), (0, 0), (0, 2)], ids=["swapped", "repeated", "one left out"])
def test_frames_out_of_order_are_refused(papers: Both, order: tuple[int, int]) -> None:
    here, there = connect(papers)
    frames = [say(here, word) for word in (b"one", b"two", b"three")]
    with pytest.raises(TlsError, match="not as the next one"):
        read(there, b"".join(frames[number] for number in order))


def test_what_one_end_said_can_not_be_told_back_to_it(papers: Both) -> None:
    here, _ = connect(papers)
    with pytest.raises(TlsError, match="did not seal"):
        read(here, say(here, b"mirror"))


@pytest.mark.parametrize("length", [0, TAG_BYTES - 1, PLAIN_BYTES_MAX + TAG_BYTES + 1, 2**32 - 1])
def test_an_impossible_length_is_not_waited_for(papers: Both, length: int) -> None:
    _, there = connect(papers)
    with pytest.raises(TlsError, match=f"frame of {length} bytes"):
        read(there, struct.pack(">I", length))


def test_the_end_is_said_and_the_other_may_still_send(papers: Both) -> None:
    here, there = connect(papers)
    assert read(there, say(here, b"last words") + here.close()) == b"last words"
    assert there.ended
    there.end_of_stream()
    assert read(here, say(there, b"answer")) == b"answer"
    assert not here.ended


def test_an_end_without_a_goodbye_is_an_error(papers: Both) -> None:
    here, there = connect(papers)
    read(there, say(here, b"cut")[:-1])
    with pytest.raises(TlsError, match="without a goodbye"):
        there.end_of_stream()


def test_a_goodbye_may_be_the_first_word(papers: Both) -> None:
    client, server = shake_hands(papers)
    here, there = SealedFrames(client), SealedFrames(server)
    assert read(there, here.close()) == b""
    assert there.ended


def test_who_is_refused_after_the_handshake_hears_why(papers: Both) -> None:
    client, server = shake_hands(papers)
    here = SealedFrames(client)
    with pytest.raises(TlsError):
        server.open(memoryview(b"\x17\x03\x03\x00\x20" + bytes(32)), bytearray(KEY_BYTES))
    with pytest.raises(TlsError, match="they refused us: bad record mac"):
        read(here, server.outgoing())


def test_one_knows_how_much_of_a_frame_is_to_come(papers: Both) -> None:
    here, there = connect(papers)
    travelling = say(here, bytes(1000))
    assert there.lacking(1) == 1
    read(there, travelling[:100])
    assert there.lacking(1) == len(travelling) - 100
    read(there, travelling[100:])
    assert there.lacking(1) == 1


def test_what_does_not_fit_behind_others_waits_for_a_place_of_its_own(papers: Both) -> None:
    here, there = connect(papers)
    read(there, say(here, b"first"))
    head, block, buffer = b"a head", bytes(5000), bytearray(1000)
    assert there.open(memoryview(say(here, head) + say(here, block)), buffer) == len(head)
    assert there.more
    there.keep_rest()
    assert there.open(memoryview(b""), bytearray(len(block))) == len(block)
    assert not there.more
    assert not there.rest


def test_the_ticket_that_came_before_the_key_can_be_asked_for_later(papers: Both) -> None:
    client, server = shake_hands(papers)
    here, there = SealedFrames(client), SealedFrames(server)
    assert client.session is None
    assert read(here, server.outgoing() + say(there, b"hello")) == b"hello"
    assert client.session is not None
    assert server.session is None
