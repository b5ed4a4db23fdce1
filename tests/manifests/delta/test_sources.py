"""What nobody published can be compared all the same."""

from pathlib import Path

import pytest

from manifests.chunker import PROFILES
from manifests.delta.measuring import measure, measure_chunks
from manifests.delta.sources import from_path, recut
from manifests.errors import PublishError
from manifests.names import ReleaseName
from tests.manifests.delta.makings import noise, text
from tests.manifests.factory import write_tree

NAME = ReleaseName("local", "1")
DEVICE, HOST = PROFILES["device"], PROFILES["host"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files: dict[str, bytes | str | None] = {f"etc/{name}": noise(name, 20_000) for name in range(20)}
    return write_tree(tmp_path / "tree", files | {"bin/large": noise(99, 1_000_000)})


def test_a_tree_is_read_piece_by_piece(tree: Path) -> None:
    source = from_path(tree, NAME, DEVICE)
    data = b"".join(map(source.read, range(source.manifest.pieces)))
    assert data == b"".join((tree / entry.path).read_bytes() for entry in source.manifest.entries if entry.size)


def test_recut_is_as_if_it_had_been_cut_so(tree: Path) -> None:
    again, direct = recut(from_path(tree, NAME, DEVICE), HOST), from_path(tree, NAME, HOST)
    assert again.manifest == direct.manifest
    assert all(again.read(piece) == direct.read(piece) for piece in range(direct.manifest.pieces))


def test_what_changed_since_it_was_cut_is_refused(tree: Path) -> None:
    source = from_path(tree, NAME, DEVICE)
    (tree / "bin/large").write_bytes(noise(1, 1_000_000))
    with pytest.raises(PublishError, match="changed while it was read"):
        for piece in range(source.manifest.pieces):
            source.read(piece)


def test_measured_patches_are_smaller_than_chunks_and_count_manifests(tmp_path: Path) -> None:
    data = text(1, 60_000)
    (tmp_path / "old").write_bytes(data)
    (tmp_path / "new").write_bytes(data[:100_000] + b"!" + data[100_001:])
    old, new = (from_path(tmp_path / name, NAME, DEVICE) for name in ("old", "new"))
    packed, pieces = measure(old, new, threads=1)
    chunks = measure_chunks(old.manifest, new.manifest)
    assert packed.fetch_bytes < chunks.fetch_bytes / 50
    assert packed.fetch_bytes == round(sum(one.fetched for one in pieces)) + packed.manifest_bytes
    assert packed.manifest_bytes > chunks.manifest_bytes > 0
