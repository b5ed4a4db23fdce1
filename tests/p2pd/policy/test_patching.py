"""Which packs are taken, and what may be fetched as it is meanwhile."""

from p2pd.policy.patching import STALL_S, Fallback, Offer, choose_packs
from p2pd.wire import bits

HELD, UNKNOWN, NOTHING = b"held", b"unknown", b""
OFFERS = [
    Offer(b"compressed", NOTHING, 500),
    Offer(b"patch", HELD, 50),
    Offer(b"older patch", b"older", 80),
    Offer(b"useless", UNKNOWN, 10),
]


def chosen(*held: bytes, missing_bytes: int = 1000, dear_link: bool = False) -> list[bytes]:
    return choose_packs(OFFERS, held=dict.fromkeys(held, 1.0), missing_bytes=missing_bytes, dear_link=dear_link)


def chosen_in_part(held: dict[bytes, float]) -> list[bytes]:
    return choose_packs(OFFERS, held=held, missing_bytes=1000, dear_link=False)


def test_the_cheapest_pack_from_a_release_that_is_held_is_taken() -> None:
    assert chosen(b"older", HELD) == [b"patch"]


def test_where_nothing_is_held_all_comes_as_it_is() -> None:
    assert chosen() == []


def test_where_the_link_is_dear_pieces_come_compressed_and_so_does_what_a_patch_leaves() -> None:
    assert chosen(dear_link=True) == [b"compressed"]
    assert chosen(HELD, dear_link=True) == [b"patch", b"compressed"]


def test_a_pack_that_costs_more_than_what_is_missing_is_left_alone() -> None:
    assert chosen(HELD, missing_bytes=50, dear_link=True) == []


def test_a_base_that_is_here_in_part_serves_for_that_part() -> None:
    assert chosen_in_part({HELD: 0.2}) == [b"patch"]


def test_a_base_of_which_too_little_is_here_to_be_worth_its_pack_is_none() -> None:
    assert chosen_in_part({HELD: 0.05}) == []


def test_a_dearer_pack_is_taken_where_more_of_its_base_is_here() -> None:
    assert chosen_in_part({HELD: 0.96, b"older": 1.0}) == [b"older patch"]
    assert chosen_in_part({HELD: 0.98, b"older": 1.0}) == [b"patch"]


def fallback(bytes_max: int = 0) -> Fallback:
    return Fallback([100] * 10, bytes_max, 0.0)


def test_what_a_pack_will_bring_is_not_fetched_as_it_is() -> None:
    assert fallback().grant(missing=bits.of([1, 2, 3]), hoped=bits.of([1, 2]), now=0.0) == bits.of([3])


def test_a_pack_that_brings_nothing_for_too_long_is_not_waited_for() -> None:
    one = fallback()
    assert one.grant(missing=bits.of([1, 2]), hoped=bits.of([1, 2]), now=STALL_S - 0.1) == 0
    assert one.grant(missing=bits.of([1, 2]), hoped=bits.of([1, 2]), now=STALL_S) == bits.of([1, 2])


def test_a_pack_that_moves_again_takes_back_what_was_granted() -> None:
    one = fallback(bytes_max=200)
    one.grant(missing=bits.of([1, 2]), hoped=bits.of([1, 2]), now=STALL_S)
    one.progress(STALL_S + 1)
    assert one.grant(missing=bits.of([2]), hoped=bits.of([2]), now=STALL_S + 1) == 0
    assert one.spent_bytes(bits.of([2])) == 100


def test_the_budget_is_never_exceeded_and_what_it_refuses_is_known() -> None:
    one = fallback(bytes_max=250)
    assert one.grant(missing=bits.of([0, 1, 2, 3]), hoped=0, now=0.0) == bits.of([0, 1])
    assert one.refused_bytes == 200
    assert one.grant(missing=bits.of([2, 3]), hoped=0, now=1.0) == 0
    assert one.spent_bytes(bits.of([2, 3])) == 200


def test_what_came_from_the_pack_after_all_costs_no_budget() -> None:
    one = fallback(bytes_max=100)
    one.grant(missing=bits.of([0, 1]), hoped=bits.of([0]), now=0.0)
    one.patched(bits.of([1]))
    assert one.grant(missing=bits.of([5]), hoped=0, now=1.0) == bits.of([5])
