"""Only what both parties have signed, recently and in order, is approved."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from manifests.blobs import BlobStore
from manifests.errors import (
    ExpiredMetadataError,
    MetadataUnavailableError,
    UnknownReleaseError,
    UntrustedReleaseError,
)
from manifests.limits import MANIFEST_BYTES_MAX
from manifests.names import ReleaseName
from manifests.shelf import Shelf
from manifests.trust import Approved, TrustChain, Wanted, target_path
from manifests.tuf_api import Metadata, TargetFile, Targets, Timestamp
from tests.manifests.factory import DAY, DIGEST, LENGTH, NOW, RELEASE, Client, Publisher, new_signer

OTHER = sha256(b"another manifest").digest()
NEXT = ReleaseName("shop", "1.1")


def test_what_both_parties_signed_is_approved(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    assert client.look_up() == Approved(RELEASE, DIGEST, LENGTH)


def test_what_both_parties_say_of_edits_is_believed_and_nothing_else(publisher: Publisher, client: Client) -> None:
    publisher.sign(parties=["build"], edits=(3, 5, 9))
    publisher.sign(parties=["release"], edits=(5, 4, 3))
    publisher.promote()
    assert client.look_up() == Approved(RELEASE, DIGEST, LENGTH, (3, 5))


def test_who_is_prepared_asks_for_the_timestamp_only(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    assert client.prepare("shop") == 1
    client.asked.clear()
    assert client.look_up() == Approved(RELEASE, DIGEST, LENGTH)
    assert client.asked == ["metadata/timestamp.json"]


@pytest.mark.parametrize("products", [("shop",), ("till", "shop"), ()])
def test_one_prepares_for_what_nobody_signed_yet(
    products: tuple[str, ...], publisher: Publisher, client: Client
) -> None:
    publisher.promote()
    assert client.prepare(*products) == 0


@pytest.mark.parametrize("edits", [5, "5", [True], [None], {"5": 5}])
def test_nonsense_about_edits_is_passed_over(publisher: Publisher, client: Client, edits: Any) -> None:
    for party in ("build", "release"):
        fields = {"custom": {"edits": edits}}
        path = f"{party}/{RELEASE.product}/{RELEASE.version}"
        put_party(publisher, party, TargetFile(LENGTH, {"sha256": DIGEST.hex()}, path, unrecognized_fields=fields))
    publisher.promote()
    assert client.look_up() == Approved(RELEASE, DIGEST, LENGTH)


@pytest.mark.parametrize("party, missing", [("build", "release"), ("release", "build")])
def test_one_party_alone_is_not_enough(publisher: Publisher, client: Client, party: str, missing: str) -> None:
    publisher.sign(parties=[party])
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match=f"the {missing} party is missing"):
        client.look_up()


def test_one_party_alone_is_not_enough_for_a_later_release_either(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.sign(NEXT, parties=["release"])
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="the build party is missing"):
        client.look_up(NEXT)


def test_nobody_having_signed_is_not_knowing_the_release(publisher: Publisher, client: Client) -> None:
    publisher.promote()
    with pytest.raises(UnknownReleaseError, match=r"nobody has signed shop@1\.0"):
        client.look_up()


def test_a_product_without_parties_is_unknown(client: Client) -> None:
    with pytest.raises(UnknownReleaseError, match="'till' is not known"):
        client.look_up(ReleaseName("till", "1.0"))


def put_party(publisher: Publisher, party: str, target: TargetFile, version: int = 1) -> None:
    """A party's role as no tool of ours would write it."""
    targets = Targets(version, expires=NOW + DAY, targets={target.path: target})
    metadata: Metadata[Targets] = Metadata(targets)
    metadata.sign(publisher.keys[party])
    Shelf(publisher.store).put(f"{party}-shop", metadata)


@pytest.mark.parametrize("length, digest", [(LENGTH, OTHER), (LENGTH + 1, DIGEST)])
def test_parties_that_disagree_are_both_refused(
    publisher: Publisher, client: Client, length: int, digest: bytes
) -> None:
    publisher.sign(parties=["build"])
    path = target_path("release", RELEASE)
    put_party(publisher, "release", TargetFile(length, {"sha256": digest.hex()}, path))
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="the parties disagree"):
        client.look_up()


@pytest.mark.parametrize(
    "length, hashes", [(MANIFEST_BYTES_MAX + 1, {"sha256": "00" * 32}), (1, {"sha512": "00" * 64})]
)
def test_a_signature_over_something_impossible_is_refused(
    publisher: Publisher, client: Client, length: int, hashes: dict[str, str]
) -> None:
    for party in ("build", "release"):
        put_party(publisher, party, TargetFile(length, hashes, target_path(party, RELEASE)))
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="without a SHA-256 or with an impossible length"):
        client.look_up()


def test_a_party_can_not_sign_in_the_others_name(publisher: Publisher, client: Client) -> None:
    publisher.sign(parties=["build"])
    path = target_path("release", RELEASE)
    put_party(publisher, "build", TargetFile(LENGTH, {"sha256": DIGEST.hex()}, path), version=2)
    publisher.promote()
    with pytest.raises(UntrustedReleaseError):
        client.look_up()


def test_the_targets_key_can_not_approve_in_a_partys_place(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    shelf = Shelf(publisher.store)
    top = shelf.load("targets", shelf.greatest("targets"), Targets)
    assert top is not None
    for party in ("build", "release"):
        path = target_path(party, RELEASE)
        top.signed.targets[path] = TargetFile(LENGTH, {"sha256": OTHER.hex()}, path)
    top.signed.version += 1
    top.sign(publisher.keys["targets"])
    shelf.put("targets", top)
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="not by the role build-shop"):
        client.look_up()


def test_a_key_that_is_in_both_parties_vouches_for_nothing(publisher: Publisher, client: Client) -> None:
    shelf = Shelf(publisher.store)
    top = shelf.load("targets", shelf.greatest("targets"), Targets)
    assert top is not None
    assert top.signed.delegations is not None
    assert top.signed.delegations.roles is not None
    roles = top.signed.delegations.roles
    roles["release-shop"].keyids = roles["build-shop"].keyids
    top.signed.version += 1
    top.sign(publisher.keys["targets"])
    shelf.put("targets", top)
    publisher.keys["release"] = publisher.keys["build"]
    publisher.sign()
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="one key signs for both parties"):
        client.look_up()


def test_another_keys_signature_is_not_promoted(publisher: Publisher, client: Client) -> None:
    publisher.sign(parties=["build"])
    publisher.keys["release"] = new_signer()
    put_party(publisher, "release", TargetFile(LENGTH, {"sha256": DIGEST.hex()}, target_path("release", RELEASE)))
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="the release party is missing"):
        client.look_up()


def test_another_repositorys_metadata_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    publisher.sign()
    publisher.promote()
    stranger = Publisher(BlobStore(str(tmp_path / "stranger"), create=True))
    stranger.store = publisher.store
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        Client(stranger, tmp_path / "cache").look_up()


def test_an_expired_timestamp_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    with pytest.raises(ExpiredMetadataError, match=r"timestamp\.json is expired"):
        client.look_up(now=NOW + 3 * DAY)


def test_it_is_approved_until_the_timestamp_expires(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    assert client.look_up(now=NOW + 3 * DAY - timedelta(seconds=1)).digest == DIGEST


def test_a_party_that_does_not_renew_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.now = NOW + 200 * DAY
    publisher.promote()
    with pytest.raises(ExpiredMetadataError, match="build-shop is expired"):
        client.look_up()


def test_a_party_that_renews_goes_on(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.now = NOW + 200 * DAY
    for party in ("build", "release"):
        publisher.repository.renew("shop", party, publisher.keys[party])
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_an_older_timestamp_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    old = publisher.store.get("metadata/timestamp.json")
    publisher.promote()
    client.look_up()
    publisher.store.replace("metadata/timestamp.json", old)
    with pytest.raises(UntrustedReleaseError, match="rollback"):
        client.look_up()


def test_a_newer_timestamp_that_names_an_older_snapshot_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    metadata = Metadata[Timestamp].from_bytes(publisher.store.get("metadata/timestamp.json"))
    metadata.signed.version += 1
    metadata.signed.snapshot_meta.version -= 1
    metadata.sign(publisher.keys["online"])
    publisher.store.replace("metadata/timestamp.json", metadata.to_bytes())
    with pytest.raises(UntrustedReleaseError, match="rollback"):
        client.look_up()


def test_a_revoked_release_is_no_longer_approved(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    publisher.repository.revoke(RELEASE, "release", publisher.keys["release"])
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="the release party is missing"):
        client.look_up()


def test_a_rotated_root_is_followed_from_the_old_pin(publisher: Publisher, client: Client) -> None:
    old, new = publisher.keys["root"], new_signer()
    publisher.sign()
    client.publisher.promote()
    client.look_up()
    publisher.repository.rotate_root([old, new], root=[new.public_key])
    publisher.now = NOW + DAY
    publisher.repository.rotate_root([new])
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_a_root_that_the_old_keys_did_not_sign_is_refused(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    forger = Publisher(BlobStore("memory:///"))
    forger.repository.rotate_root([forger.keys["root"]])
    publisher.store.put_new("metadata/2.root.json", forger.store.get("metadata/2.root.json"))
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        client.look_up()


def test_after_new_online_and_targets_keys_the_old_ones_are_worth_nothing(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    online, targets = new_signer(), new_signer()
    publisher.repository.rotate_root([publisher.keys["root"]], targets=targets, online=online.public_key)
    publisher.now += DAY / 4
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        client.look_up()
    publisher.keys |= {"online": online, "targets": targets}
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_metadata_larger_than_asked_for_is_refused(publisher: Publisher, client: Client) -> None:
    chain = TrustChain(publisher.root, client.cache, NOW.timestamp)
    answer = chain.look_up(RELEASE, {"metadata/2.root.json": None})
    assert isinstance(answer, Wanted)
    with pytest.raises(UntrustedReleaseError, match="at most"):
        chain.look_up(RELEASE, {"metadata/2.root.json": None, answer.path: bytes(answer.max_bytes + 1)})


def test_a_store_without_metadata_is_unavailable_not_untrusted(publisher: Publisher, tmp_path: Path) -> None:
    publisher.store = BlobStore(str(tmp_path / "empty"), create=True)
    with pytest.raises(MetadataUnavailableError, match=r"there is no metadata/timestamp\.json"):
        Client(publisher, tmp_path / "cache").look_up()


def test_offline_a_release_seen_before_is_approved_without_asking(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    client.asked.clear()
    assert client.look_up(offline=True).digest == DIGEST
    assert client.asked == []


def test_offline_expired_metadata_is_refused_all_the_same(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    with pytest.raises(ExpiredMetadataError):
        client.look_up(offline=True, now=NOW + 4 * DAY)


def test_offline_with_nothing_cached_is_unavailable(client: Client) -> None:
    with pytest.raises(MetadataUnavailableError, match=r"offline, and timestamp\.json"):
        client.look_up(offline=True)
