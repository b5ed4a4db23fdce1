"""Failures are remembered for a moment."""

from seeder.shield.failures import MEMORY_S, Failure, Failures, Fault

MISSING = Failure(Fault.MISSING, "no")


def test_a_failure_is_recalled_until_its_time_is_over() -> None:
    failures = Failures()
    failures.remember("a", MISSING, 10.0)
    end = 10.0 + MEMORY_S[Fault.MISSING]
    assert [failures.recall("a", now) for now in (10.0, end - 0.01, end)] == [MISSING, MISSING, None]


def test_only_so_many_are_remembered_and_the_oldest_goes_first() -> None:
    failures = Failures(remembered_max=2)
    for path in "abc":
        failures.remember(path, MISSING, 0.0)
    assert [failures.recall(path, 0.0) for path in "abc"] == [None, MISSING, MISSING]


def test_what_failed_again_counts_as_young() -> None:
    failures = Failures(remembered_max=2)
    for path in "abac":
        failures.remember(path, MISSING, 0.0)
    assert [failures.recall(path, 0.0) for path in "abc"] == [MISSING, None, MISSING]
