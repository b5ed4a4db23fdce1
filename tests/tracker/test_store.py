"""Goals on disk."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pd.wire.announce import Goal
from tracker.errors import StoreError
from tracker.goals.goals import HISTORY_MAX
from tracker.store import Store

from .nodes import goal


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "tracker.sqlite")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    made = Store(path)
    made.open()
    yield made
    made.close()


def reopened(store: Store) -> tuple[Goal, ...]:
    store.close()
    return store.open().goals


def test_a_goal_comes_back_as_it_was(store: Store) -> None:
    kept = Goal("web", "eu", "web@1", 1, True, "alice", 1_700_000_000.25, "faster — really", due=1_700_000_900.5)
    store.append(kept)
    assert reopened(store) == (kept,)


def test_the_history_comes_back_in_order(store: Store) -> None:
    for revision in (1, 2, 3):
        store.append(goal(revision, f"web@{revision}"))
    assert [kept.revision for kept in reopened(store)] == [1, 2, 3]


@pytest.mark.parametrize("revision", [1, 2])
def test_a_revision_that_is_not_new_is_refused_and_nothing_is_kept(store: Store, revision: int) -> None:
    store.append(goal(2, "web@1"))
    with pytest.raises(StoreError, match="not newer"):
        store.append(goal(revision, "web@x"))
    assert [kept.release for kept in reopened(store)] == ["web@1"]


def test_history_is_pruned_by_scope(store: Store) -> None:
    store.append(goal(1, "web@1", "eu"))
    for revision in range(2, HISTORY_MAX + 10):
        store.append(goal(revision, f"web@{revision}"))
    kept = reopened(store)
    assert [one.scope for one in kept].count("global") == HISTORY_MAX
    assert kept[0].scope == "eu"


def test_copies_of_the_global_goals_may_have_gaps(store: Store) -> None:
    store.adopt([goal(3, "web@3"), goal(7, "web@7", "eu")], 12.5)
    store.adopt([goal(9, "web@9")], 13.5)
    store.close()
    stored = store.open()
    assert ([kept.revision for kept in stored.goals], stored.upstream_seen_at) == ([3, 7, 9], 13.5)


def test_a_copy_that_comes_twice_is_kept_once(store: Store) -> None:
    store.adopt([goal(3, "web@3")], 1.0)
    store.adopt([goal(3, "web@3")], 2.0)
    assert len(reopened(store)) == 1


def test_a_region_that_becomes_the_global_tracker_counts_on(store: Store) -> None:
    store.adopt([goal(7, "web@7")], 1.0)
    store.append(goal(8, "web@8"))
    assert reopened(store)[-1].revision == 8


def test_two_trackers_can_not_use_one_file(store: Store, path: str) -> None:
    with pytest.raises(StoreError, match="in use by another tracker"):
        Store(path).open()


@pytest.mark.parametrize("version, then", [(99, "use a newer p2p-tracker"), (3, "begin with a new state directory")])
def test_the_file_of_another_version_is_left_alone(store: Store, path: str, version: int, then: str) -> None:
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StoreError, match=then):
        store.open()


def test_what_is_no_database_is_named(path: str) -> None:
    Path(path).parent.mkdir()
    Path(path).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"tracker\.sqlite"):
        Store(path).open()


def test_a_full_disk_is_an_error_and_keeps_what_was_there(store: Store) -> None:
    store.append(goal(1, "web@1"))
    assert store._connection is not None
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        for revision in range(2, 1000):
            store.append(Goal("web", "global", "web@2", revision, reason="x" * 128))
    kept = reopened(store)
    assert [one.revision for one in kept] == list(range(1, len(kept) + 1))
