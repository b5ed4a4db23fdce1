"""Two pumps in memory: whatever is sent arrives, however the bytes between them are cut."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.identity.certificate import read_certificate
from p2pd.world.credentials import Credentials
from p2pd.world.tls_pump import RECORD_BYTES, SLICE_BYTES, TlsError, TlsPump
from tests.p2pd.world.papers import Papers


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def contexts(papers: Papers) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of one who dials and of one who is dialled."""
    return Credentials(papers.files("alice")).client, Credentials(papers.files("bob", "seeder")).server


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


def pieces(data: bytes, cuts: list[int]) -> Iterator[memoryview]:
    """The data, cut into pieces of these lengths, again and again."""
    view, number = memoryview(data), 0
    while view:
        length = cuts[number % len(cuts)] if cuts else len(view)
        yield view[:length]
        view, number = view[length:], number + 1


def connect(contexts: Contexts, cuts: list[int] | None = None) -> tuple[TlsPump, TlsPump]:
    """A client and a server after their handshake; the ticket has arrived."""
    client, server = TlsPump(contexts[0], server=False), TlsPump(contexts[1], server=True)
    client.step()
    over = {client: False, server: False}
    while not all(over.values()):
        for one, other in ((client, server), (server, client)):
            for piece in pieces(one.outgoing(), cuts or []):
                if not over[other]:
                    over[other] = other.step(piece)
                else:
                    assert other.open(piece, bytearray(1)) == 0
    assert carry([server.outgoing()], client, [], 1) == b""
    return client, server


def carry(sealed: list[bytes], to: TlsPump, cuts: list[int], room: int) -> bytes:
    """What the other end reads, with this much room at a time."""
    buffer, plain = bytearray(room), b""
    for piece in pieces(b"".join(sealed), cuts):
        for part in pieces(bytes(piece), [max(room, RECORD_BYTES)]):
            arrived = part
            while True:
                count = to.open(arrived, buffer)
                plain += buffer[:count]
                arrived = memoryview(b"")
                if count < room:
                    break
    return plain


@given(
    data=st.lists(st.binary(min_size=1, max_size=3 * SLICE_BYTES), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 2 * RECORD_BYTES), min_size=1, max_size=5),
    room=st.sampled_from([1, 17, 1000, RECORD_BYTES, 256 * 1024]),
)
def test_what_is_sealed_is_opened_however_it_was_cut(
    contexts: Contexts, data: list[bytes], cuts: list[int], room: int
) -> None:
    client, server = connect(contexts)
    room = max(room, 1000) if sum(map(len, data)) > 4000 else room  # a byte at a time is slow
    cuts = [max(cut, 100) for cut in cuts]
    sealed = [run for part in data for run in client.seal(memoryview(part))]
    assert carry(sealed, server, cuts, room) == b"".join(data)


@given(cuts=st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_a_handshake_succeeds_however_it_was_cut(contexts: Contexts, cuts: list[int]) -> None:
    client, server = connect(contexts, cuts)
    assert carry(server.seal(memoryview(b"hello")), client, [5], 100) == b"hello"


def test_both_ends_see_the_others_certificate_and_its_authority(contexts: Contexts, papers: Papers) -> None:
    client, server = connect(contexts)
    assert read_certificate(client.peer_certificate).identity.node == "bob"
    assert read_certificate(server.peer_certificate).identity.node == "alice"
    assert len(client.peer_issuers) == len(server.peer_issuers) == 2


def test_it_is_tls_1_3(contexts: Contexts) -> None:
    assert repr(connect(contexts)[0]) == "<TlsPump TLSv1.3>"


def test_the_end_is_said_and_the_other_may_still_send(contexts: Contexts) -> None:
    client, server = connect(contexts)
    words = [*server.seal(memoryview(b"last words")), server.close()]
    assert carry(words, client, [7], 100) == b"last words"
    assert client.ended
    assert carry(client.seal(memoryview(b"answer")), server, [7], 100) == b"answer"
    assert not server.ended


def test_an_end_without_a_goodbye_is_an_error(contexts: Contexts) -> None:
    client, server = connect(contexts)
    with pytest.raises(TlsError, match="without a goodbye"):
        client.end_of_stream()
    carry([server.close()], client, [], 10)
    client.end_of_stream()


@given(at=st.integers(0, 400), bit=st.integers(0, 7))
def test_no_changed_bit_passes(contexts: Contexts, at: int, bit: int) -> None:
    client, server = connect(contexts)
    sealed = bytearray(b"".join(client.seal(memoryview(bytes(range(200)) * 2))))
    sealed[5 + at] ^= 1 << bit
    with pytest.raises(TlsError):
        carry([bytes(sealed)], server, [], 1000)
    assert server.outgoing(), "it says why it hangs up"


def test_what_is_no_tls_is_refused(contexts: Contexts) -> None:
    server = TlsPump(contexts[1], server=True)
    with pytest.raises(TlsError):
        server.step(b"GET / HTTP/1.1\r\n\r\n")


def test_who_shows_no_certificate_is_refused(contexts: Contexts, papers: Papers) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(str(papers.directory / "root.pem"))
    bare.verify_flags |= ssl.VerifyFlags(0x200000)
    with pytest.raises(TlsError, match="did not return a certificate"):
        connect((bare, contexts[1]))


def test_a_certificate_of_another_fleets_authority_is_refused(contexts: Contexts, tmp_path: Path) -> None:
    other = Credentials(Papers(tmp_path / "other").files("mallory"))
    with pytest.raises(TlsError, match="certificate"):
        connect((other.client, contexts[1]))
    with pytest.raises(TlsError, match="certificate"):
        connect((contexts[0], other.server))


def test_coming_back_with_a_ticket_is_a_short_handshake(contexts: Contexts) -> None:
    client, _ = connect(contexts)
    again = TlsPump(contexts[0], server=False, session=client.session)
    fresh = TlsPump(contexts[1], server=True)
    again.step()
    while not fresh.step(again.outgoing()):
        again.step(fresh.outgoing())
    assert fresh.resumed
    assert read_certificate(fresh.peer_certificate).identity.node == "alice"
    assert fresh.peer_issuers == []


def test_an_idle_connection_keeps_little_after_much_has_passed(contexts: Contexts) -> None:
    client, server = connect(contexts)
    for _ in range(4):
        runs = client.seal(memoryview(bytes(256 * 1024)))
        assert max(map(len, runs)) <= SLICE_BYTES + 1024
        carry(runs, server, [], 256 * 1024)
    assert client.outgoing() == b""
