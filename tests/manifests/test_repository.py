"""The publisher's tools refuse what would weaken the chain."""

import pytest

from manifests.blobs import BlobStore
from manifests.errors import SigningError, UntrustedReleaseError
from manifests.names import ReleaseName
from manifests.repository import Repository
from manifests.shelf import Shelf
from manifests.tuf_api import Delegations, Metadata, Targets
from tests.manifests.factory import DAY, DIGEST, LENGTH, NOW, RELEASE, Client, Publisher, new_signer

OTHER = bytes(32)


def test_a_store_has_one_repository(publisher: Publisher) -> None:
    with pytest.raises(SigningError, match="has a repository already"):
        publisher.repository.init([new_signer()], new_signer(), new_signer())


def test_more_root_signatures_than_root_keys_are_refused(store: BlobStore) -> None:
    with pytest.raises(SigningError, match="2 signatures of 1"):
        Repository(store, NOW).init([new_signer()], new_signer(), new_signer(), root_threshold=2)


def test_a_key_may_not_be_in_both_parties(publisher: Publisher) -> None:
    key, other = new_signer().public_key, new_signer().public_key
    with pytest.raises(SigningError, match="in both parties"):
        publisher.repository.add_product("till", {"build": [other, key], "release": [key]}, publisher.keys["targets"])


def test_a_product_needs_both_parties(publisher: Publisher) -> None:
    with pytest.raises(SigningError, match="the release party needs a key"):
        publisher.repository.add_product("till", {"build": [new_signer().public_key]}, publisher.keys["targets"])


@pytest.mark.parametrize("product", ["Shop", "../x", "*", "a/b"])
def test_a_product_with_a_strange_name_is_refused(publisher: Publisher, product: str) -> None:
    with pytest.raises(ValueError, match="no product's name"):
        publisher.add_product(product)


def test_only_the_targets_key_adds_products(publisher: Publisher) -> None:
    publisher.keys["targets"] = new_signer()
    with pytest.raises(SigningError, match="not one of targets"):
        publisher.add_product("till")


def test_a_second_product_leaves_the_first_as_it_is(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.add_product("till")
    publisher.sign(ReleaseName("till", "2"), OTHER)
    publisher.promote()
    assert (client.look_up().digest, client.look_up(ReleaseName("till", "2")).digest) == (DIGEST, OTHER)


def test_a_partys_new_key_ends_what_the_old_one_signed(publisher: Publisher) -> None:
    publisher.sign()
    publisher.keys["build"] = new_signer()
    publisher.add_product()
    assert publisher.repository.signed_digest(RELEASE, "build") is None


@pytest.mark.parametrize("party, other", [("build", "release"), ("release", "build")])
def test_a_key_signs_for_its_own_party_only(publisher: Publisher, party: str, other: str) -> None:
    with pytest.raises(SigningError, match=f"not one of the {party} party of shop"):
        publisher.repository.sign(RELEASE, party, publisher.keys[other], DIGEST, LENGTH)


def test_an_unknown_product_is_not_signed_for(publisher: Publisher) -> None:
    with pytest.raises(SigningError, match="till has no build party"):
        publisher.sign(ReleaseName("till", "1"))


def test_a_name_is_not_signed_twice_with_other_content(publisher: Publisher) -> None:
    publisher.sign()
    with pytest.raises(SigningError, match="a name is never used twice"):
        publisher.sign(digest=OTHER, parties=["build"])


def test_a_party_does_not_sign_other_content_than_the_other_party(publisher: Publisher) -> None:
    publisher.sign(parties=["build"])
    with pytest.raises(SigningError, match=r"the build party has signed shop@1\.0"):
        publisher.sign(digest=OTHER, parties=["release"])


def test_signing_the_same_again_is_no_fault(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.sign()
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_what_was_never_signed_can_not_be_revoked(publisher: Publisher) -> None:
    with pytest.raises(SigningError, match=r"has not signed shop@1\.0"):
        publisher.repository.revoke(RELEASE, "build", publisher.keys["build"])


def test_only_the_online_key_promotes(publisher: Publisher) -> None:
    with pytest.raises(SigningError, match="not one of the timestamp"):
        publisher.repository.promote(publisher.keys["targets"])


def test_promotion_names_files_that_verify_as_nothing(publisher: Publisher) -> None:
    publisher.sign()
    publisher.store.put_new("metadata/9.build-shop.json", b"{}")
    done = publisher.repository.promote(publisher.keys["online"])
    assert (done.foreign, done.roles["build-shop"]) == (("metadata/9.build-shop.json",), 1)


def test_a_number_under_which_something_else_lies_is_passed_over(publisher: Publisher) -> None:
    publisher.sign()
    publisher.store.put_new("metadata/2.build-shop.json", b"{}")
    publisher.sign(ReleaseName("shop", "1.1"), parties=["build"])
    assert publisher.repository.promote(publisher.keys["online"]).roles["build-shop"] == 3


def test_two_who_sign_at_the_same_time_both_count(publisher: Publisher) -> None:
    """The second has looked before the first put its version."""
    slow = publisher.repository
    publisher.sign(parties=["build"])
    slow.sign(ReleaseName("shop", "1.1"), "build", publisher.keys["build"], OTHER, LENGTH)
    assert publisher.repository.signed_digest(RELEASE, "build") == DIGEST
    assert publisher.repository.signed_digest(ReleaseName("shop", "1.1"), "build") == OTHER


def test_a_list_that_another_key_signed_is_not_signed_again_without_a_pinned_root(publisher: Publisher) -> None:
    colleague = new_signer()
    both = {"build": [publisher.keys["build"].public_key, colleague.public_key]}
    both["release"] = [publisher.keys["release"].public_key]
    publisher.repository.add_product("shop", both, publisher.keys["targets"])
    publisher.sign()
    with pytest.raises(SigningError, match="give --root"):
        publisher.repository.renew("shop", "build", colleague)


def test_a_list_that_a_colleague_signed_is_signed_again_with_a_pinned_root(publisher: Publisher) -> None:
    colleague = new_signer()
    both = {"build": [publisher.keys["build"].public_key, colleague.public_key]}
    both["release"] = [publisher.keys["release"].public_key]
    publisher.repository.add_product("shop", both, publisher.keys["targets"])
    publisher.sign()
    publisher.pinned = publisher.root
    assert publisher.repository.renew("shop", "build", colleague).releases == 1


def test_a_forged_signature_beside_a_valid_one_does_not_pass_for_ones_own(publisher: Publisher) -> None:
    """A forger with write access makes a repository of their own that lists the victim's key as well as theirs."""
    victim, forger = publisher.keys["build"], new_signer()
    forged = Publisher(BlobStore("memory:///"))
    both = {"build": [victim.public_key, forger.public_key], "release": [new_signer().public_key]}
    forged.repository.add_product("shop", both, forged.keys["targets"])
    forged.repository.sign(RELEASE, "build", forger, OTHER, LENGTH)
    listed = Metadata[Targets].from_bytes(forged.store.get("metadata/1.build-shop.json"))
    signature = listed.signatures[forger.public_key.keyid]
    listed.signatures[victim.public_key.keyid] = type(signature)(victim.public_key.keyid, signature.signature)
    forged.store.replace("metadata/1.build-shop.json", listed.to_bytes())
    with pytest.raises(SigningError, match="give --root"):
        forged.repository.sign(ReleaseName("shop", "1.1"), "build", victim, DIGEST, LENGTH)


def test_with_a_pinned_root_a_foreign_repository_is_refused(publisher: Publisher) -> None:
    forged = Publisher(BlobStore("memory:///"))
    forged.pinned, forged.keys["online"] = publisher.root, publisher.keys["online"]
    with pytest.raises(UntrustedReleaseError, match="another root than the pinned one"):
        forged.promote()


def test_a_new_root_waits_for_the_old_keys(publisher: Publisher) -> None:
    new = new_signer()
    publisher.pinned = publisher.root
    assert publisher.repository.rotate_root([new], root=[new.public_key]).missing == 1
    assert Shelf(publisher.store).root(None).signed.version == 1


def test_a_new_root_waits_for_the_new_keys(publisher: Publisher) -> None:
    assert publisher.repository.rotate_root([publisher.keys["root"]], root=[new_signer().public_key]).missing == 1
    assert Shelf(publisher.store).root(None).signed.version == 1


def test_what_is_promoted_and_unchanged_is_not_read_again(publisher: Publisher) -> None:
    publisher.sign()
    publisher.promote()
    publisher.store.replace("metadata/1.build-shop.json", b"no longer readable")
    assert publisher.repository.promote(publisher.keys["online"]).roles["build-shop"] == 1


def test_a_foreign_snapshot_neither_stops_nor_is_overwritten(publisher: Publisher) -> None:
    publisher.sign()
    for number in (2, 999_999_999):
        publisher.store.put_new(f"metadata/{number}.snapshot.json", b"{}")
    assert publisher.repository.promote(publisher.keys["online"]).snapshot == 3
    assert publisher.store.get("metadata/2.snapshot.json") == b"{}"


def test_signed_dates_follow_the_clock_that_was_given(publisher: Publisher) -> None:
    publisher.now = NOW + 10 * DAY
    publisher.sign()
    found = Shelf(publisher.store).load("build-shop", 1, Targets)
    assert found is not None
    assert found.signed.expires == NOW + 190 * DAY


def test_the_list_of_products_lasts_a_year_from_its_renewal(publisher: Publisher) -> None:
    before = publisher.repository.renew_targets(publisher.keys["targets"])
    publisher.now = NOW + 100 * DAY
    after = publisher.repository.renew_targets(publisher.keys["targets"])
    expires = [
        Metadata[Targets].from_bytes(publisher.store.get(f"metadata/{done.version}.targets.json")).signed.expires
        for done in (before, after)
    ]
    assert expires[1] - expires[0] == 100 * DAY


def test_a_store_without_a_repository_says_how_to_make_one(store: BlobStore) -> None:
    with pytest.raises(SigningError, match="repo init"):
        Repository(store, NOW).promote(new_signer())


def test_keys_that_no_role_uses_are_dropped(publisher: Publisher) -> None:
    publisher.keys["build"] = new_signer()
    publisher.add_product()
    shelf = Shelf(publisher.store)
    top = shelf.load("targets", shelf.greatest("targets"), Targets)
    assert top is not None
    assert isinstance(top.signed.delegations, Delegations)
    assert len(top.signed.delegations.keys) == 2
