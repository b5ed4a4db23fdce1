"""SIEVE within a bound in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.shield.cache import Cache


def filled(*keys: str, bytes_max: int = 3) -> Cache:
    """Objects of one byte."""
    cache = Cache(bytes_max)
    for key in keys:
        assert cache.admit(key, 1) == []
    return cache


def test_the_oldest_that_nobody_asked_for_again_is_evicted() -> None:
    cache = filled("a", "b", "c")
    cache.touch("a")
    assert cache.admit("d", 1) == ["b"]


def test_a_hit_protects_once_only() -> None:
    cache = filled("a", "b", "c")
    for key in "abc":
        cache.touch(key)
    assert cache.admit("d", 1) == ["a"]


def test_the_hand_goes_on_where_it_stopped() -> None:
    cache = filled("a", "b", "c")
    cache.touch("a")
    cache.admit("d", 1)
    assert cache.admit("e", 1) == ["c"]


def test_a_scan_does_not_wash_out_what_is_popular() -> None:
    cache = filled("hot", "b", "c")
    for number in range(100):
        cache.touch("hot")
        cache.admit(f"scan {number}", 1)
    assert "hot" in cache


def test_as_much_is_evicted_as_there_is_need_for() -> None:
    assert filled("a", "b", "c").admit("large", 2) == ["a", "b"]


def test_what_is_being_read_is_not_evicted() -> None:
    cache = filled("a", "b", "c")
    cache.pin("a")
    assert cache.admit("d", 1) == ["b"]


def test_nothing_is_evicted_for_what_can_not_fit() -> None:
    cache = filled("a", "b", "c")
    cache.pin("b")
    assert cache.admit("large", 3) is None
    assert list(cache) == ["a", "b", "c"]


def test_what_was_read_to_the_end_may_be_evicted() -> None:
    cache = filled("a", "b", "c")
    cache.pin("a")
    cache.unpin("a")
    assert cache.admit("d", 1) == ["a"]


def test_to_admit_what_is_held_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="held already"):
        filled("a").admit("a", 1)


Steps = st.lists(st.tuples(st.sampled_from(["admit", "touch", "remove", "pin", "unpin"]), st.integers(0, 9)))


@given(Steps)
def test_whatever_happens_the_bound_holds_and_what_is_pinned_stays(steps: list[tuple[str, int]]) -> None:
    """Invariant: bytes_held is the sum of the sizes held, at most bytes_max, and pinned keys are never evicted."""
    cache, sizes, pins = Cache(20), {str(number): number + 1 for number in range(10)}, dict.fromkeys("0123456789", 0)
    for verb, number in steps:
        key = str(number)
        if verb == "admit" and key not in cache:
            evicted = cache.admit(key, sizes[key])
            assert not any(pins[gone] for gone in evicted or ())
        elif verb == "touch":
            assert cache.touch(key) == (key in cache)
        elif verb == "remove" and not pins[key]:
            cache.remove(key)
        elif verb == "pin" and key in cache:
            cache.pin(key)
            pins[key] += 1
        elif verb == "unpin" and pins[key]:
            cache.unpin(key)
            pins[key] -= 1
        assert cache.bytes_held == sum(sizes[held] for held in cache) <= cache.bytes_max
        assert len(list(cache)) == len(cache)
