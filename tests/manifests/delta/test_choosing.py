"""Bases are chosen by what their devices would fetch."""

from typing import Any

import pytest

from manifests.delta.choosing import Candidate, choose, mix


def versions(*candidates: tuple[str, float, int], count: int = 3) -> list[str]:
    return [one.version for one in choose([Candidate(*row) for row in candidates], count)]


def test_many_devices_that_lack_much_come_first() -> None:
    assert versions(("a", 100, 500), ("b", 1000, 400), ("c", 900, 500)) == ["c", "b", "a"]


def test_no_more_than_asked_for_are_chosen() -> None:
    assert versions(("a", 10, 500), ("b", 1000, 400), ("c", 900, 500), count=1) == ["c"]


def test_a_version_that_hardly_anybody_runs_gets_no_pack() -> None:
    assert versions(("a", 1, 100), ("b", 1000, 100)) == ["b"]


def test_a_version_that_lacks_nothing_gets_no_pack() -> None:
    assert versions(("a", 1000, 0)) == []


def test_a_mix_is_devices_by_version() -> None:
    assert mix({"1.0": 3, "1.1": 0.5}) == {"1.0": 3.0, "1.1": 0.5}


@pytest.mark.parametrize(
    "document", [[], {}, "1.0", {"1.0": "many"}, {"1.0": -1}, {"1.0": True}, {"1.0": float("nan")}]
)
def test_anything_else_is_no_mix(document: Any) -> None:
    with pytest.raises(ValueError, match=r"mix is|no number"):
        mix(document)
