"""Who commanded what can be read, and neither changed nor cut short without being seen."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from p2pd.wire.announce import Goal
from tracker.audit import GENESIS, Record, from_document, to_document, verify
from tracker.errors import StoreError
from tracker.store import Store


def record(number: int, after: str = "web@1") -> Record:
    return Record(number, 1e9, "alice", True, "admin", "192.0.2.1:5", "deploy", "web", "global", "", after, "because")


def chain(length: int) -> list[Record]:
    made, seal = [], GENESIS
    for number in range(1, length + 1):
        made.append(record(number, f"web@{number}").sealed(seal))
        seal = made[-1].seal
    return made


def test_a_chain_as_it_was_written_holds() -> None:
    assert verify(chain(5)) == verify(chain(5), chain(5)[2].seal.hex())
    assert verify(chain(5)).wrong == ""


@pytest.mark.parametrize(
    "field", ["who", "role", "where", "action", "service", "scope", "before", "after", "reason", "refused"]
)
def test_any_change_is_seen(field: str) -> None:
    records = chain(3)
    records[1] = from_document(to_document(records[1]) | {field: "else"})
    assert verify(records).wrong == "record 2 is not as it was sealed"


def test_a_record_that_was_removed_is_seen() -> None:
    records = chain(3)
    del records[1]
    assert verify(records).wrong == "record 2 is missing: the next is number 3"


def test_a_record_that_was_replaced_and_sealed_anew_is_seen_at_the_next_one() -> None:
    records = chain(3)
    records[1] = replace(records[1], after="web@evil").sealed(records[0].seal)
    assert verify(records).wrong == "record 3 is not as it was sealed"


def test_a_chain_that_was_cut_short_lacks_the_seal_that_was_noted() -> None:
    assert "cut short" in verify(chain(2), chain(3)[2].seal.hex()).wrong


def test_a_record_survives_being_a_document() -> None:
    assert from_document(to_document(chain(1)[0])) == chain(1)[0]


@pytest.mark.parametrize("document", [{}, {"seal": "xx"}, {"seal": ""}, to_document(record(1)) | {"more": 1}])
def test_what_is_no_record_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"audit record|non-hexadecimal"):
        from_document(document)


def test_the_store_numbers_and_seals(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "tracker.sqlite"))
    store.open()
    for revision in (1, 2, 3):
        store.append(Goal("web", "global", f"web@{revision}", revision), record(0, f"web@{revision}"))
    store.close()
    store.open()
    store.append(Goal("web", "global", "web@4", 4), record(0, "web@4"))
    assert verify(store.audit(0, 100)).records == 4
    assert [one.number for one in store.audit(1, 2)] == [2, 3]
    store.close()


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET who = 'mallory'"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, statement: str) -> None:
    path = str(tmp_path / "tracker.sqlite")
    store = Store(path)
    store.open()
    store.append(Goal("web", "global", "web@1", 1), record(0))
    store.close()
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="audit records stay"):
        connection.execute(statement)
    connection.close()


def test_a_goal_that_is_not_stored_leaves_no_record(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "tracker.sqlite"))
    store.open()
    store.append(Goal("web", "global", "web@5", 5), record(0))
    with pytest.raises(StoreError):
        store.append(Goal("web", "global", "web@4", 4), record(0))
    assert len(store.audit(0, 10)) == 1
    store.close()
