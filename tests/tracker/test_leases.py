"""Leases end when they were not renewed, and not before."""

from tracker.leases import Leases


def leases(**ends: float) -> Leases[str]:
    made = Leases[str]()
    for key, end in ends.items():
        made.renew(key, end)
    return made


def test_a_lease_ends_at_its_time() -> None:
    held = leases(a=10.0)
    assert (held.expire(9.9), held.expire(10.0), "a" in held) == ([], ["a"], False)


def test_a_renewed_lease_does_not_end_at_the_former_time() -> None:
    held = leases(a=10.0)
    held.renew("a", 20.0)
    assert (held.expire(15.0), held.expire(20.0)) == ([], ["a"])


def test_a_lease_can_be_shortened() -> None:
    held = leases(a=100.0)
    held.renew("a", 5.0)
    assert held.expire(5.0) == ["a"]


def test_a_shortened_lease_can_be_renewed_again() -> None:
    held = leases(a=100.0)
    held.renew("a", 5.0)
    held.renew("a", 50.0)
    assert (held.expire(49.0), held.expire(50.0)) == ([], ["a"])


def test_a_released_lease_is_never_told_of() -> None:
    held = leases(a=10.0)
    held.release("a")
    assert held.expire(100.0) == []


def test_the_longest_ended_comes_first() -> None:
    assert leases(a=3.0, b=1.0, c=2.0).expire(9.0) == ["b", "c", "a"]


def test_renewing_often_does_not_grow_the_queue() -> None:
    held = leases(a=1.0)
    for end in range(2, 1000):
        held.renew("a", float(end))
    assert len(held._queue) == 1


def test_there_is_nothing_to_wait_for_without_leases() -> None:
    assert Leases[str]().next_end() == float("inf")
