"""The same cuts everywhere, and small changes stay small."""

import hashlib
import json
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import chunker
from manifests.errors import MalformedManifestError
from manifests.manifest import Profile

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "chunks.json").read_text())
DEVICE = chunker.PROFILES["device"]


def stream(size: int, name: bytes = b"p2p") -> bytes:
    """The vectors' input: SHAKE-256 of a name."""
    return hashlib.shake_256(name).digest(size)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["profile"])
def test_the_golden_boundaries_are_these(vector: dict[str, object]) -> None:
    assert isinstance(vector["bytes"], int)
    lengths = chunker.lengths([stream(vector["bytes"])], chunker.profile(str(vector["profile"])))
    assert lengths == vector["lengths"]


@pytest.mark.parametrize("profile", chunker.PROFILES.values(), ids=lambda profile: str(profile.name))
def test_chunks_keep_to_the_sizes_of_their_profile(profile: Profile) -> None:
    *most, last = chunker.lengths([stream(20 * profile.average_bytes)], profile)
    assert profile.min_bytes <= min(most)
    assert max(*most, last) <= profile.max_bytes


def test_zeros_are_cut_at_the_largest_size() -> None:
    *most, _ = chunker.lengths([bytes(10 * DEVICE.max_bytes)], DEVICE)
    assert set(most) == {DEVICE.max_bytes}


@given(st.lists(st.integers(1, 300_000), max_size=10))
def test_it_does_not_matter_how_the_stream_arrives(cuts: list[int]) -> None:
    data = stream(1_000_000)
    places = [0, *sorted({place for place in accumulate(cuts) if place < len(data)}), len(data)]
    parts = [data[start:end] for start, end in pairwise(places)]
    assert chunker.lengths(parts, DEVICE) == chunker.lengths([data], DEVICE)


def test_nothing_is_cut_into_no_chunk() -> None:
    assert chunker.lengths([], DEVICE) == []


def test_an_insertion_costs_only_the_chunks_around_it() -> None:
    data = stream(4_000_000)
    before, after = (digests(text) for text in (data, data[:2_000_000] + b"!" + data[2_000_000:]))
    assert len(after - before) <= 3


def digests(data: bytes) -> set[bytes]:
    found, position = set(), 0
    for length in chunker.lengths([data], DEVICE):
        found.add(hashlib.sha256(data[position : position + length]).digest())
        position += length
    return found


def test_large_files_stand_alone_and_small_neighbours_together() -> None:
    assert list(chunker.runs([1, 2, 100, 3, 500, 100, 1, 0], 100)) == [
        range(2), range(2, 3), range(3, 4), range(4, 5), range(5, 6), range(6, 8),
    ]  # fmt: skip


@given(st.lists(st.integers(0, 300)))
def test_runs_cover_all_files_once_and_in_order(sizes: list[int]) -> None:
    assert [index for run in chunker.runs(sizes, 100) for index in run] == list(range(len(sizes)))


def test_an_unknown_profile_is_named_with_those_that_are_known() -> None:
    with pytest.raises(MalformedManifestError, match="'tiny'; known: device, swarm, host, bulk"):
        chunker.profile("tiny")


class Endless:
    """Counts what it is asked for at a time."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0

    def readinto(self, buffer: memoryview, /) -> int:
        self.largest = max(self.largest, len(buffer))
        count = min(len(buffer), self.left)
        self.left -= count
        return count


def test_a_long_stream_is_never_held_whole() -> None:
    source = Endless(100 * DEVICE.max_bytes)
    assert sum(len(chunk) for chunk in chunker.cut(source, DEVICE)) == 100 * DEVICE.max_bytes
    assert source.largest <= 4 * DEVICE.max_bytes
