"""Which releases may be deleted."""

from p2pd.install import Candidate, Kept, Memory, surplus

KEPT = [Kept(f"releases/{version}", str(version), version) for version in range(1, 7)]


def candidate(version: int) -> Candidate:
    return Candidate(f"web@{version}", f"releases/{version}")


def versions(memory: Memory, keep_releases: int, pinned: tuple[str, ...] = ()) -> list[int]:
    return [kept.sequence for kept in surplus(KEPT, memory, keep_releases=keep_releases, pinned=pinned)]


def test_the_newest_are_kept() -> None:
    assert versions(Memory(), 2) == [1, 2, 3, 4]


def test_what_runs_and_what_ran_before_count_and_stay() -> None:
    assert versions(Memory(running=candidate(1), previous=candidate(2)), 3) == [3, 4, 5]


def test_nothing_that_is_needed_goes_however_few_are_to_be_kept() -> None:
    assert versions(Memory(running=candidate(1), previous=candidate(2), target=candidate(3)), 1) == [4, 5, 6]


def test_a_pinned_version_stays_and_does_not_count() -> None:
    assert versions(Memory(running=candidate(6)), 2, pinned=("1",)) == [2, 3, 4]
