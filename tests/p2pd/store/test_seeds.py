"""Old bytes from files that nobody vouches for."""

from array import array

from manifests import codec
from manifests.chunker import Readable, cut
from manifests.digest import digest_function
from manifests.entries import FILE, Entry
from manifests.manifest import Manifest, Profile
from p2pd.store import LOCAL_SOURCE, Store
from tests.fakes.disk import MemoryDisk

from .releases import STATE, noise

SEED = "/dev/old"
NEW = "/srv/image"
PROFILE = Profile("test", 1024, 4096, 16384)
"""The chunker's own smallest sizes."""


class Bytes:
    """A stream."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def readinto(self, buffer: memoryview, /) -> int:
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count


def image(data: bytes) -> tuple[Manifest, bytes]:
    """A release that is this one file, cut as a publisher cuts."""
    stream: Readable = Bytes(data)
    chunks = [bytes(chunk) for chunk in cut(stream, PROFILE)]
    digest = digest_function("blake3")
    manifest = Manifest(
        "web", "1", 1, "blake3", PROFILE, b"".join(map(digest, chunks)), array("I", map(len, chunks)),
        (Entry("image.bin", FILE, 0o644, 0, len(data)),), tree=False,
    )  # fmt: skip
    return manifest, codec.encode(manifest)


OLD_BYTES = noise("old", 200_000)
NEW_BYTES = OLD_BYTES[:90_000] + b"inserted" + OLD_BYTES[90_000:]


def opened(disk: MemoryDisk, *seeds: str) -> Store:
    store = Store(disk, STATE, seeds=seeds)
    store.open()
    return store


def with_seed(data: bytes = OLD_BYTES) -> MemoryDisk:
    disk = MemoryDisk()
    disk.make_directories("/dev")
    disk.create(SEED, 0)
    disk.write(SEED, 0, data)
    return disk


def reused_bytes(store: Store, data: bytes = NEW_BYTES) -> int:
    """Of a new release of `data`."""
    manifest, encoded = image(data)
    artifact = store.add(encoded, NEW)
    for path in store.seeds.paths:
        store.seeds.learn(path, manifest)
    for batch in store.reusable(artifact):
        store.reuse(artifact, batch)
    for piece in range(manifest.pieces):
        start, end = manifest.offsets[piece], manifest.offsets[piece + 1]
        assert artifact.has(piece) == (store.read_piece(artifact, piece) == data[start:end])
    return artifact.bytes_by_source.get(LOCAL_SOURCE, 0)


def test_what_a_seed_holds_is_copied_from_it_wherever_it_lies() -> None:
    store = opened(with_seed(), SEED)
    assert reused_bytes(store) > 0.8 * len(NEW_BYTES)


def test_without_a_seed_nothing_is_copied() -> None:
    assert reused_bytes(opened(with_seed())) == 0


def test_a_seed_that_changed_since_it_was_read_gives_nothing_wrong() -> None:
    disk = with_seed()
    store = opened(disk, SEED)
    manifest, encoded = image(NEW_BYTES)
    artifact = store.add(encoded, NEW)
    store.seeds.learn(SEED, manifest)
    (batch,) = store.reusable(artifact)
    disk.write(SEED, 0, bytes(100_000))
    store.reuse(artifact, batch)
    for piece in range(manifest.pieces):
        start, end = manifest.offsets[piece], manifest.offsets[piece + 1]
        assert artifact.has(piece) == (store.read_piece(artifact, piece) == NEW_BYTES[start:end])
    assert 0 < artifact.present_bytes < 0.6 * len(NEW_BYTES)


def test_a_seed_is_read_once_and_known_after_a_restart() -> None:
    disk = with_seed()
    manifest, _ = image(NEW_BYTES)
    opened(disk, SEED).seeds.learn(SEED, manifest)
    disk.kill()
    before = disk.read_bytes
    opened(disk, SEED).seeds.learn(SEED, manifest)
    assert disk.read_bytes - before < 0.1 * len(OLD_BYTES)


def test_a_seed_that_was_written_to_is_read_again() -> None:
    disk = with_seed()
    manifest, _ = image(NEW_BYTES)
    opened(disk, SEED).seeds.learn(SEED, manifest)
    disk.write(SEED, 0, noise("new", len(OLD_BYTES)))
    disk.kill()
    disk.write(SEED, 0, NEW_BYTES)
    assert reused_bytes(opened(disk, SEED)) == len(NEW_BYTES)


def test_a_torn_index_is_made_anew() -> None:
    disk = with_seed()
    manifest, _ = image(NEW_BYTES)
    opened(disk, SEED).seeds.learn(SEED, manifest)
    disk.kill()
    (name,) = disk.list_directory(f"{STATE}/seeds")
    disk.corrupt(f"{STATE}/seeds/{name}", 1)
    assert reused_bytes(opened(disk, SEED)) > 0.8 * len(NEW_BYTES)


def test_a_seed_that_is_not_there_is_said_and_does_no_harm() -> None:
    store = opened(with_seed(), "/dev/none")
    assert reused_bytes(store) == 0
    assert store.seeds.problems == {"/dev/none": "not there"}


def test_a_seed_behind_a_link_is_found() -> None:
    disk = with_seed()
    disk.symlink("old", "/dev/by-name")
    assert reused_bytes(opened(disk, "/dev/by-name")) > 0.8 * len(NEW_BYTES)


def test_a_partition_that_is_longer_than_its_image_holds_all_of_it() -> None:
    store = opened(with_seed(NEW_BYTES + bytes(50_000)), SEED)
    assert reused_bytes(store) == len(NEW_BYTES)
