"""What we owe to others, and whose turn it is."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.policy.serving import (
    BEHIND,
    BEHIND_MAX,
    PEER_QUEUE_PIECES_MAX,
    QUEUE_PIECES_FREE,
    QUICK_S,
    SENDS_MAX,
    SENDS_MIN,
    STUCK_S_MIN,
    ageing_s,
)
from p2pd.swarm.uploads import TYPICAL_STEP, Owed, Uploads

A, B = b"a" * 32, b"b" * 32
MIB = 1024 * 1024
PIECES = 2 * PEER_QUEUE_PIECES_MAX


def uploads_of(spread: dict[int, int] | None = None) -> Uploads:
    """Pieces that so many neighbours hold; none where nothing is said."""
    counts = [(spread or {}).get(piece, 0) for piece in range(PIECES)]
    return Uploads(lambda swarm: counts)


def owe(uploads: Uploads, peer: str, piece: int, swarm: bytes = A, length: int = 1000) -> bool:
    """Was it promised?"""
    return refusal(uploads, peer, piece, swarm, length) != (peer, piece)


def refusal(uploads: Uploads, peer: str, piece: int, swarm: bytes = A, length: int = 1000) -> tuple[str, int] | None:
    """Who is told that we are busy, and for which piece."""
    refused = uploads.add(peer, Owed(swarm, piece, length), 0.0)
    return (refused[0], refused[1].piece) if refused is not None else None


def known_fast() -> Uploads:
    uploads = uploads_of()
    uploads.sent("before", 1000 * MIB, 0.0)
    return uploads


def drained(uploads: Uploads, peer: str) -> list[int]:
    pieces = []
    while (owed := uploads.next(peer, 0.0)) is not None:
        pieces.append(owed.piece)
    return pieces


# -- promises ---------------------------------------------------------------------------------------------------


def test_pieces_leave_in_the_order_of_their_promise() -> None:
    uploads = uploads_of()
    assert all(owe(uploads, "a", piece) for piece in (5, 3, 4))
    assert drained(uploads, "a") == [5, 3, 4]


def test_a_piece_is_promised_once() -> None:
    uploads = uploads_of()
    assert owe(uploads, "a", 5) and owe(uploads, "a", 5)  # noqa: PT018 - one claim
    assert drained(uploads, "a") == [5]


def test_what_is_taken_back_does_not_leave() -> None:
    uploads = uploads_of()
    owe(uploads, "a", 1)
    owe(uploads, "a", 2)
    uploads.withdraw("a", A, 1)
    uploads.withdraw("a", B, 2)
    uploads.withdraw("nobody", A, 2)
    assert drained(uploads, "a") == [2]


def test_a_peer_that_left_a_swarm_is_owed_nothing_of_it() -> None:
    uploads = uploads_of()
    owe(uploads, "a", 1)
    owe(uploads, "a", 2, swarm=B)
    owe(uploads, "b", 3)
    uploads.forget_swarm(A, "a")
    assert (drained(uploads, "a"), drained(uploads, "b")) == ([2], [3])


def test_a_swarm_that_we_left_is_owed_to_nobody() -> None:
    uploads = uploads_of()
    owe(uploads, "a", 1)
    owe(uploads, "b", 2, swarm=B)
    uploads.forget_swarm(A)
    assert (drained(uploads, "a"), drained(uploads, "b")) == ([], [2])


def test_one_peer_can_ask_for_so_much_and_no_more() -> None:
    uploads = known_fast()
    taken = [owe(uploads, "a", piece, length=1) for piece in range(PEER_QUEUE_PIECES_MAX + 1)]
    assert taken == [True] * PEER_QUEUE_PIECES_MAX + [False]


def test_a_peer_that_asks_for_much_and_reads_nothing_does_not_shut_out_another() -> None:
    uploads = known_fast()
    piece = 0
    while owe(uploads, "greedy", piece, length=MIB):
        piece += 1
    assert refusal(uploads, "honest", 1, length=MIB) == ("greedy", piece - 1)
    assert drained(uploads, "honest") == [1]


def test_who_asks_for_what_many_hold_makes_room_for_what_few_hold() -> None:
    uploads = uploads_of(dict.fromkeys(range(10), 5))
    common = [owe(uploads, peer, piece) for piece, peer in enumerate("abcde")]
    assert common == [True] * (QUEUE_PIECES_FREE + 1) + [False] * (4 - QUEUE_PIECES_FREE)
    assert owe(uploads, "z", 10)
    assert not owe(uploads, "y", 9)
    assert drained(uploads, "z") == [10]


def test_a_refusal_names_who_is_refused_and_what() -> None:
    uploads = uploads_of({0: 5, 1: 6, 2: 5})
    for piece, peer in enumerate("abc"):
        owe(uploads, peer, piece)
    assert refusal(uploads, "d", 7) == ("b", 1)
    assert refusal(uploads, "d", 1) == ("d", 1)


# -- turns ------------------------------------------------------------------------------------------------------


def crowd(uploads: Uploads, count: int = SENDS_MIN + 1) -> list[str]:
    """So many peers, each owed the piece of its number, each with a body that has asked."""
    peers = [f"peer-{number}" for number in range(count)]
    for number, peer in enumerate(peers):
        assert owe(uploads, peer, number)
    return peers


def test_no_more_than_a_few_are_sent_to_at_once_and_the_next_one_when_one_is_done() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    assert [uploads.next(peer, 0.0) is not None for peer in peers] == [True] * SENDS_MIN + [False]
    assert uploads.turns(0.0) == []
    uploads.sent(peers[1], 1000, 0.1)
    assert uploads.turns(0.1) == [peers[-1]]
    assert uploads.next(peers[-1], 0.1) is not None


@pytest.mark.parametrize(
    ("peers", "at_once"), [(7, SENDS_MIN), (2 * SENDS_MIN + 4, SENDS_MIN + 2), (4 * SENDS_MAX, SENDS_MAX)]
)
def test_of_many_peers_half_are_sent_to_at_once_within_bounds(peers: int, at_once: int) -> None:
    uploads = known_fast()
    uploads.forget("before")
    for number in range(peers):  # each has been sent a piece
        owe(uploads, f"peer-{number}", number)
        assert uploads.next(f"peer-{number}", number) is not None
        uploads.sent(f"peer-{number}", 1000, number + 0.1)
    uploads.rate.add(1000 * MIB, 99.0)
    names = crowd(uploads, peers)
    assert sum(uploads.next(peer, 100.0) is not None for peer in names) == at_once


def test_a_turn_is_kept_for_who_was_named() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    for peer in peers:
        uploads.next(peer, 0.0)
    owe(uploads, peers[1], 99)
    uploads.sent(peers[1], 1000, 0.1)
    assert uploads.turns(0.1) == [peers[-1]]
    assert uploads.turns(0.1) == []
    assert uploads.next(peers[1], 0.1) is None
    assert uploads.next(peers[-1], 0.1) is not None


def test_a_kept_turn_that_is_not_wanted_any_more_goes_to_another() -> None:
    uploads = known_fast()
    peers = crowd(uploads, SENDS_MIN + 2)
    for peer in peers:
        uploads.next(peer, 0.0)
    uploads.sent(peers[0], 1000, 0.1)
    assert uploads.turns(0.1) == [peers[-2]]
    uploads.withdraw(peers[-2], A, SENDS_MIN)
    assert uploads.turns(0.1) == [peers[-1]]


def test_a_turn_that_is_kept_while_the_former_piece_leaves_can_still_be_given_up() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    for peer in peers:
        uploads.next(peer, 0.0)
    owe(uploads, peers[1], 99)
    assert uploads.next(peers[1], 0.1) is None  # a body that reads ahead: its former piece is still being sent
    uploads.forget(peers[0])
    assert uploads.turns(0.1) == [peers[-1], peers[1]]
    uploads.sent(peers[1], 1000, 0.2)
    uploads.withdraw(peers[1], A, 99)
    assert uploads.turns(0.2) == []


def test_whose_former_piece_never_left_keeps_no_turn() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    for peer in peers:
        uploads.next(peer, 0.0)
    assert uploads.next(peers[0], 0.1) is None
    assert uploads.turns(0.1) == [peers[-1]]


def test_who_goes_gives_its_turn_to_another() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    for peer in peers:
        uploads.next(peer, 0.0)
    uploads.forget(peers[0])
    assert uploads.turns(0.0) == [peers[-1]]


def test_the_piece_that_fewest_hold_goes_first() -> None:
    spread = dict.fromkeys(range(SENDS_MIN), 1) | {10: 3, 11: 2, 12: 3}
    uploads = uploads_of(spread)
    uploads.sent("before", 1000 * MIB, 0.0)
    busy = crowd(uploads, SENDS_MIN)
    for peer in busy:
        assert uploads.next(peer, 0.0) is not None
    for piece, peer in ((10, "x"), (11, "y"), (12, "z")):
        owe(uploads, peer, piece)
        assert uploads.next(peer, 0.0) is None
    uploads.sent(busy[0], 1000, 0.1)
    assert uploads.turns(0.1) == ["y"]


@pytest.mark.parametrize("took_s", [0.02, 0.1, 0.7])
def test_who_is_behind_the_others_is_served_all_the_same(took_s: float) -> None:
    def served_first(held_by: int) -> str:
        uploads = uploads_of(dict.fromkeys(range(SENDS_MIN), 1) | {10: held_by})
        uploads.sent("before", 1000 * MIB, 0.0)
        busy = crowd(uploads, SENDS_MIN)
        for peer in busy:
            uploads.next(peer, 0.0)
        owe(uploads, "behind", 10)
        assert uploads.next("behind", 0.0) is None
        owe(uploads, "ahead", 11)
        assert uploads.next("ahead", took_s) is None
        uploads.sent(busy[0], 1000, took_s)
        return uploads.turns(took_s)[0]

    holders = round(took_s / ageing_s(took_s))
    assert [served_first(holders - 1), served_first(holders + 1)] == ["behind", "ahead"]


def served_first(lack: dict[str, float], spread: dict[int, int], took_s: float = 0.1) -> str:
    """Of two who wait equally long, `spread` says how many hold the piece that each asks for, in order. `took_s`: how
    long a piece takes on this uplink."""
    uploads = uploads_of(dict.fromkeys(range(SENDS_MIN), 1) | spread)
    uploads.sent("before", 1000 * MIB, 0.0)
    busy = crowd(uploads, SENDS_MIN)
    for peer in busy:
        uploads.next(peer, 0.0)
    for (peer, lacks), piece in zip(lack.items(), spread, strict=True):
        uploads.add(peer, Owed(A, piece, 1000, lacks), 0.0)
        assert uploads.next(peer, 0.0) is None
    uploads.sent(busy[0], 1000, took_s)
    return uploads.turns(took_s)[0]


def test_who_lacks_more_goes_before_who_asks_for_what_fewer_hold() -> None:
    assert served_first({"ahead": 0.30, "behind": 0.35}, {10: 2, 11: 4}) == "behind"
    assert served_first({"ahead": 0.30, "behind": 0.35}, {10: 2, 11: 5}) == "ahead"


def test_who_says_that_it_lacks_all_does_not_go_before_everything_else() -> None:
    worth = round(BEHIND * BEHIND_MAX)
    assert served_first({"honest": 0.0, "new": 1.0}, {10: 1, 11: worth}) == "new"
    assert served_first({"honest": 0.0, "new": 1.0}, {10: 1, 11: worth + 2}) == "honest"


def test_a_narrow_uplink_is_for_what_few_hold_whoever_lacks_more() -> None:
    assert (
        served_first({"ahead": 0.30, "behind": 0.35}, {10: 2, 11: 4}, took_s=TYPICAL_STEP * QUICK_S + 0.01) == "ahead"
    )


def test_a_piece_that_was_just_given_away_counts_as_held() -> None:
    uploads = known_fast()
    assert owe(uploads, "a", 1)
    assert uploads.next("a", 0.0) is not None
    owe(uploads, "b", 1)
    owe(uploads, "b", 2)
    assert drained(uploads, "b") == [2, 1]


def test_peers_that_do_not_read_keep_the_uplink_from_nobody_for_long() -> None:
    uploads = known_fast()
    peers = crowd(uploads)
    for peer in peers:
        uploads.next(peer, 0.0)
    assert uploads.next_timer(0.0) == STUCK_S_MIN
    assert uploads.turns(STUCK_S_MIN) == [peers[-1]]
    uploads.next(peers[-1], STUCK_S_MIN)
    assert uploads.next_timer(STUCK_S_MIN) == inf


# -- the sum ----------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["add", "withdraw", "next", "turns", "sent", "forget", "forget_swarm", "left"]),
        st.sampled_from("abcdefg"),
        st.sampled_from([A, B]),
        st.integers(0, 5),
    )
)


@given(DEEDS)
def test_the_sum_of_what_is_queued_is_always_right_and_never_too_many_are_sent_to(
    deeds: list[tuple[str, str, bytes, int]],
) -> None:
    uploads, sending = uploads_of(), set[str]()
    for deed, peer, swarm, piece in deeds:
        match deed:
            case "add":
                owe(uploads, peer, piece, swarm, 10 + piece)
            case "withdraw":
                uploads.withdraw(peer, swarm, piece)
            case "next":
                sending.discard(peer)
                if uploads.next(peer, 0.0) is not None:
                    sending.add(peer)
            case "turns":
                uploads.turns(0.0)
            case "sent":
                uploads.sent(peer, 0, 0.0)
                sending.discard(peer)
            case "forget":
                uploads.forget(peer)
                sending.discard(peer)
            case "left":
                uploads.forget_swarm(swarm, peer)
            case _:
                uploads.forget_swarm(swarm)
        assert len(sending) <= SENDS_MIN
    for peer in sending:
        uploads.sent(peer, 0, 0.0)
    queued = uploads.queued_bytes
    assert queued == sum(10 + piece for peer in "abcdefg" for piece in drained(uploads, peer))
    assert uploads.queued_bytes == 0


def turns_of(took_s: dict[str, float], until_s: float) -> dict[str, int]:
    """How many pieces each peer is sent, where each takes so long and there is always another."""
    counts, ends, now = dict.fromkeys(took_s, 0), dict[str, float](), 0.0
    held_by = [0] * 100_000
    uploads = Uploads(lambda swarm: held_by)
    while now < until_s:
        for number, (peer, seconds) in enumerate(took_s.items()):
            owe(uploads, peer, counts[peer] * len(took_s) + number, length=0)
            if peer not in ends and uploads.next(peer, now) is not None:
                ends[peer] = now + seconds
        for peer in uploads.turns(now):
            uploads.next(peer, now)
            ends[peer] = now + took_s[peer]
        now = min(*ends.values(), uploads.next_timer(now))
        for peer in [peer for peer, at in ends.items() if at <= now]:
            del ends[peer]
            uploads.sent(peer, 0, now)
            counts[peer] += 1
    return counts


def test_whose_connection_is_slow_for_a_while_gets_as_many_turns_as_others() -> None:
    counts = turns_of({"slow": 0.2} | {f"peer{number}": 0.1 for number in range(2 * SENDS_MIN)}, until_s=60.0)
    assert counts["slow"] >= 0.85 * sum(counts.values()) / len(counts)


def test_those_who_crawl_do_not_have_all_turns() -> None:
    crawling = {f"crawls{number}": 5.0 for number in range(2 * SENDS_MIN)}
    counts = turns_of(crawling | {f"peer{number}": 0.1 for number in range(SENDS_MIN)}, until_s=60.0)
    assert sum(count for peer, count in counts.items() if peer not in crawling) >= 0.4 * SENDS_MIN * 60.0 / 0.1
