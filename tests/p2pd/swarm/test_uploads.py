"""What we owe to others."""

from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.serving import PEER_QUEUE_PIECES_MAX
from p2pd.swarm.uploads import Owed, Uploads

A, B = b"a" * 32, b"b" * 32
MIB = 1024 * 1024


def owe(uploads: Uploads, peer: str, piece: int, swarm: bytes = A, length: int = 1000) -> bool:
    return uploads.add(peer, Owed(swarm, piece, length), 0.0)


def drained(uploads: Uploads, peer: str) -> list[int]:
    pieces = []
    while (owed := uploads.next(peer)) is not None:
        pieces.append(owed.piece)
    return pieces


def test_pieces_leave_in_the_order_of_their_promise() -> None:
    uploads = Uploads()
    assert all(owe(uploads, "a", piece) for piece in (5, 3, 4))
    assert drained(uploads, "a") == [5, 3, 4]


def test_a_piece_is_promised_once() -> None:
    uploads = Uploads()
    assert owe(uploads, "a", 5) and owe(uploads, "a", 5)  # noqa: PT018 - one claim
    assert drained(uploads, "a") == [5]


def test_what_is_taken_back_does_not_leave() -> None:
    uploads = Uploads()
    owe(uploads, "a", 1)
    owe(uploads, "a", 2)
    uploads.withdraw("a", A, 1)
    uploads.withdraw("a", B, 2)
    uploads.withdraw("nobody", A, 2)
    assert drained(uploads, "a") == [2]


def test_a_peer_that_left_a_swarm_is_owed_nothing_of_it() -> None:
    uploads = Uploads()
    owe(uploads, "a", 1)
    owe(uploads, "a", 2, swarm=B)
    owe(uploads, "b", 3)
    uploads.forget_swarm(A, "a")
    assert (drained(uploads, "a"), drained(uploads, "b")) == ([2], [3])


def test_a_swarm_that_we_left_is_owed_to_nobody() -> None:
    uploads = Uploads()
    owe(uploads, "a", 1)
    owe(uploads, "b", 2, swarm=B)
    uploads.forget_swarm(A)
    assert (drained(uploads, "a"), drained(uploads, "b")) == ([], [2])


def test_one_peer_can_ask_for_so_much_and_no_more() -> None:
    uploads = Uploads()
    uploads.sent(MIB, 0.0)  # an uplink that is known to be fast
    taken = [owe(uploads, "a", piece, length=1) for piece in range(PEER_QUEUE_PIECES_MAX + 1)]
    assert taken == [True] * PEER_QUEUE_PIECES_MAX + [False]


def test_a_peer_that_asks_for_much_and_reads_nothing_does_not_shut_out_another() -> None:
    uploads = Uploads()
    while owe(uploads, "greedy", len(repr(uploads)) + uploads.queued_bytes, length=MIB):
        pass
    assert owe(uploads, "honest", 1, length=MIB)
    assert not owe(uploads, "honest", 2, length=MIB)


def test_a_queue_that_never_empties_is_held_short() -> None:
    uploads = Uploads()

    def taken(now: float) -> int:
        pieces = range(int(now * 1000), int(now * 1000) + 100)
        return sum(uploads.add("a", Owed(A, piece, MIB), now) for piece in pieces)

    at_first = taken(0.0)
    while uploads.queued_bytes > MIB:
        uploads.next("a")
    assert taken(2.0) < at_first
    drained(uploads, "a")
    assert taken(3.0) == at_first


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["add", "withdraw", "next", "forget", "forget_swarm", "left"]),
        st.sampled_from("ab"),
        st.sampled_from([A, B]),
        st.integers(0, 5),
    )
)


@given(DEEDS)
def test_the_sum_of_what_is_queued_is_always_right(deeds: list[tuple[str, str, bytes, int]]) -> None:
    uploads = Uploads()
    for deed, peer, swarm, piece in deeds:
        match deed:
            case "add":
                owe(uploads, peer, piece, swarm, 10 + piece)
            case "withdraw":
                uploads.withdraw(peer, swarm, piece)
            case "next":
                uploads.next(peer)
            case "forget":
                uploads.forget(peer)
            case "left":
                uploads.forget_swarm(swarm, peer)
            case _:
                uploads.forget_swarm(swarm)
    assert uploads.queued_bytes == sum(10 + piece for peer in "ab" for piece in drained_copy(uploads, peer))


def drained_copy(uploads: Uploads, peer: str) -> list[int]:
    queued, pieces = uploads.queued_bytes, drained(uploads, peer)
    uploads.queued_bytes = queued
    return pieces
