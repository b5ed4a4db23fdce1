"""A pack in the store is an artifact like any other, and the release vouches for it."""

from pathlib import Path

import pytest

from manifests.blobs import BlobStore, chunk_path
from manifests.catalog import manifest_bytes
from manifests.chunker import PROFILES
from manifests.codec import decode
from manifests.delta import index_codec
from manifests.delta.applying import apply_bundle
from manifests.delta.matching import missing
from manifests.delta.pack import check_index
from manifests.delta.publishing import MadePack, from_store, publish_pack
from manifests.errors import NoSuchBlobError
from manifests.manifest import Manifest, Pack
from manifests.names import ReleaseName
from manifests.publish import Publication, publish
from manifests.unpack import unpack
from tests.manifests.delta.makings import noise, text

OLD = text(1, 60_000)
NEW = OLD[:200_000] + b"!" + OLD[200_000:] + noise(1, 150_000)


@pytest.fixture
def first(store: BlobStore, tmp_path: Path) -> Publication:
    (tmp_path / "image").write_bytes(OLD)
    return publish(tmp_path / "image", store, ReleaseName("shop", "1"), profile=PROFILES["device"])


@pytest.fixture
def second(store: BlobStore, tmp_path: Path, first: Publication) -> tuple[Publication, MadePack]:
    made = []

    def packs(manifest: Manifest) -> list[Pack]:
        base = from_store(store, first.manifest)
        made.append(publish_pack(from_store(store, manifest), base, first.digest, store, threads=1))
        return [made[0].pack]

    (tmp_path / "image").write_bytes(NEW)
    done = publish(tmp_path / "image", store, ReleaseName("shop", "2"), profile=PROFILES["device"], packs=packs)
    return done, made[0]


def pack_manifest(store: BlobStore, release: Manifest) -> Manifest:
    return decode(manifest_bytes(store, release.packs[0].manifest))


def test_the_release_names_its_pack(second: tuple[Publication, MadePack], first: Publication) -> None:
    done, made = second
    assert done.manifest.packs == (made.pack,)
    assert made.pack.base == first.digest


def test_the_pack_can_be_had_as_any_artifact(
    second: tuple[Publication, MadePack], store: BlobStore, tmp_path: Path
) -> None:
    unpack(pack_manifest(store, second[0].manifest), store, tmp_path / "pack")
    assert (tmp_path / "pack").stat().st_size == second[1].pack.size


def test_what_is_in_the_store_makes_the_release(
    second: tuple[Publication, MadePack], first: Publication, store: BlobStore
) -> None:
    release, pack = second[0].manifest, pack_manifest(store, second[0].manifest)
    index = index_codec.decode(store.get(chunk_path(pack.digest(0))))
    check_index(index, pack, release, first.manifest)
    made = {}
    for bundle, frames in enumerate(index.bundles):
        data = store.get(chunk_path(pack.digest(bundle + 1)))
        for applied in apply_bundle(frames, data, release, from_store(store, first.manifest).read):
            made[applied.piece] = applied.data
    assert sorted(made) == missing(release, first.manifest)
    assert None not in made.values()


def test_what_a_pack_costs_is_what_the_store_has_of_it(second: tuple[Publication, MadePack], store: BlobStore) -> None:
    pack = pack_manifest(store, second[0].manifest)
    stored = sum(len(store.get(chunk_path(pack.digest(piece)))) for piece in range(pack.pieces))
    assert second[1].fetch_bytes == stored + len(manifest_bytes(store, second[1].pack.manifest))
    assert second[1].requests == pack.pieces


def test_a_base_that_is_no_longer_in_the_store_is_named(
    second: tuple[Publication, MadePack], first: Publication, tmp_path: Path
) -> None:
    emptied = BlobStore(str(tmp_path / "other"), create=True)
    with pytest.raises(NoSuchBlobError, match="chunks/"):
        publish_pack(
            from_store(emptied, second[0].manifest), from_store(emptied, first.manifest), first.digest, emptied
        )
