"""The journal: what was written comes back, and nothing else is ever believed."""

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from p2pd.store.journal import NAME_BYTES_MAX, Journal, Replay
from tests.fakes.disk import MemoryDisk

SWARM = bytes(range(32))
LENGTHS = array("I", range(100, 120))
PATH = "/journal"

deeds = st.lists(
    st.one_of(
        st.tuples(st.just("present"), st.integers(0, 19), st.sampled_from(["a", "b", "ç" * 150])),
        st.tuples(st.just("lost"), st.integers(0, 19)),
        st.tuples(st.just("duplicate"), st.integers(0, 2**32 - 1)),
        st.tuples(st.just("checkpoint")),
    ),
    max_size=30,
)


def started() -> tuple[MemoryDisk, Journal]:
    disk = MemoryDisk()
    journal = Journal(disk, PATH, SWARM)
    journal.start()
    return disk, journal


def replayed(data: bytes, swarm: bytes = SWARM) -> Replay:
    state = Replay(swarm, LENGTHS)
    state.read(data)
    return state


def pieces(state: Replay) -> list[int]:
    return [piece for piece in range(20) if state.present[piece >> 3] & (0x80 >> (piece & 7))]


def write(journal: Journal, deed: tuple[Any, ...]) -> None:
    if deed[0] == "checkpoint":
        journal.checkpoint(journal.position)
    else:
        getattr(journal, deed[0])(*deed[1:])


@given(deeds)
def test_what_was_written_comes_back(done: list[tuple[Any, ...]]) -> None:
    disk, journal = started()
    held: set[int] = set()
    unsynced: set[int] = set()
    fetched: dict[str, int] = {}
    in_vain = 0
    for deed in done:
        write(journal, deed)
        if deed[0] == "present":
            held.add(deed[1])
            unsynced.add(deed[1])
            name = deed[2].encode()[:NAME_BYTES_MAX].decode()
            fetched[name] = fetched.get(name, 0) + LENGTHS[deed[1]]
        elif deed[0] == "lost":
            held.discard(deed[1])
        elif deed[0] == "duplicate":
            in_vain += deed[1]
        else:
            unsynced.clear()
    state = replayed(disk.read_all(PATH, 1 << 20))
    assert pieces(state) == sorted(held)
    assert state.unsynced == sorted(unsynced & held)
    assert (state.bytes_by_source, state.duplicate_bytes, state.boot_id) == (fetched, in_vain, "boot-1")


@given(deeds, st.data())
def test_a_torn_tail_is_cut_and_the_rest_is_believed(done: list[tuple[Any, ...]], draw: st.DataObject) -> None:
    disk, journal = started()
    ends = [journal.position]
    for deed in done:
        write(journal, deed)
        ends.append(journal.position)
    length = draw.draw(st.integers(0, journal.position))
    disk.truncate(PATH, length)
    again = Journal(disk, PATH, SWARM)
    state = again.resume(LENGTHS)
    assert disk.read_all(PATH, 1 << 20)[state.good_bytes :] == b"" or not state.good_bytes
    assert state.good_bytes >= max((end for end in ends if end <= length), default=0)
    if state.good_bytes:
        again.present(7, "new")
        assert 7 in pieces(replayed(disk.read_all(PATH, 1 << 20)))


@given(deeds, st.data())
def test_a_changed_byte_ends_belief_before_it(done: list[tuple[Any, ...]], draw: st.DataObject) -> None:
    disk, journal = started()
    for deed in done:
        write(journal, deed)
    at = draw.draw(st.integers(0, journal.position - 1))
    disk.corrupt(PATH, at)
    assert replayed(disk.read_all(PATH, 1 << 20)).good_bytes <= at


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    assert replayed(data).good_bytes == 0


def test_a_journal_of_another_swarm_is_not_believed() -> None:
    disk, journal = started()
    journal.present(1, "a")
    assert replayed(disk.read_all(PATH, 1 << 20), bytes(32)).good_bytes == 0


def test_a_piece_that_the_manifest_has_not_ends_belief() -> None:
    disk, journal = started()
    journal.present(20, "a")
    journal.present(1, "a")
    assert pieces(replayed(disk.read_all(PATH, 1 << 20))) == []


def test_a_checkpoint_covers_only_what_was_written_before_it_began() -> None:
    disk, journal = started()
    journal.present(1, "a")
    covered = journal.position
    journal.present(2, "a")
    journal.checkpoint(covered)
    assert replayed(disk.read_all(PATH, 1 << 20)).unsynced == [2]
