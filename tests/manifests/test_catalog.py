"""Publishers run at the same time: no two versions get one sequence, and no version gets two."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from manifests.blobs import BlobStore
from manifests.catalog import Catalog
from manifests.errors import PublishError
from manifests.names import ReleaseName

AT_ONCE = 8


def claim_at_once(store: BlobStore, versions: list[str]) -> list[int]:
    """Each by a publisher of its own, all beginning at the same moment."""
    barrier = Barrier(len(versions))

    def claim(version: str) -> int:
        catalog = Catalog(BlobStore(store.url))
        barrier.wait()
        return catalog.sequence(ReleaseName("shop", version), None)

    with ThreadPoolExecutor(len(versions)) as threads:
        return list(threads.map(claim, versions))


def test_versions_published_at_the_same_time_get_sequences_of_their_own(store: BlobStore) -> None:
    found = claim_at_once(store, [f"1.{number}" for number in range(AT_ONCE)])
    assert sorted(found) == list(range(1, AT_ONCE + 1))


def test_one_version_published_twice_at_the_same_time_gets_one_sequence(store: BlobStore) -> None:
    assert len(set(claim_at_once(store, ["1.0"] * AT_ONCE))) == 1


def test_a_version_whose_publication_failed_keeps_its_sequence(store: BlobStore) -> None:
    first = Catalog(store).sequence(ReleaseName("shop", "1.0"), None)
    Catalog(store).sequence(ReleaseName("shop", "1.1"), None)
    assert Catalog(store).sequence(ReleaseName("shop", "1.0"), None) == first


def test_a_claimed_sequence_can_not_be_chosen_for_another_version(store: BlobStore) -> None:
    Catalog(store).sequence(ReleaseName("shop", "1.0"), 7)
    with pytest.raises(PublishError, match=r"sequence 7 is that of shop@1\.0"):
        Catalog(store).sequence(ReleaseName("shop", "1.1"), 7)


def test_two_who_publish_other_content_under_one_name_do_not_both_succeed(store: BlobStore) -> None:
    release = ReleaseName("shop", "1.0")
    number = Catalog(store).sequence(release, None)
    assert Catalog(store).add(release, number, bytes(32))
    with pytest.raises(PublishError, match="other content"):
        Catalog(store).add(release, number, b"!" * 32)
