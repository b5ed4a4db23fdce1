"""Several people share a role: m of n keys, each on its own machine, and keys that come and go."""

from collections.abc import Sequence

import pytest

from manifests.blobs import BlobStore
from manifests.errors import SigningError, UntrustedReleaseError
from manifests.names import ReleaseName
from manifests.repository import RELEASES_KEPT, ROLE_VERSIONS_KEPT, Repository
from manifests.shelf import Shelf
from manifests.tuf_api import CryptoSigner, Metadata, Targets
from tests.manifests.factory import DAY, DIGEST, LENGTH, NOW, RELEASE, Client, Publisher, new_signer

OTHER = bytes(32)
LATER = ReleaseName("shop", "1.1")


def share(publisher: Publisher, needed: int, people: int) -> list[CryptoSigner]:
    """The build party of `shop` are so many people, of whom so many must sign."""
    signers = [new_signer() for _ in range(people)]
    keys = {
        "build": [one.public_key for one in signers],
        "release": [publisher.keys["release"].public_key],
    }
    publisher.repository.add_product("shop", keys, publisher.keys["targets"], thresholds={"build": needed})
    publisher.sign(parties=["release"])
    return signers


def sign_by(publisher: Publisher, signers: Sequence[CryptoSigner], release: ReleaseName = RELEASE) -> list[int]:
    """Each in turn; how many are missing after each."""
    return [publisher.repository.sign(release, "build", one, DIGEST, LENGTH).missing for one in signers]


def test_two_of_three_make_a_party(publisher: Publisher, client: Client) -> None:
    signers = share(publisher, 2, 3)
    assert sign_by(publisher, signers[:2]) == [1, 0]
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_one_of_three_is_not_enough(publisher: Publisher, client: Client) -> None:
    sign_by(publisher, share(publisher, 2, 3)[:1])
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="the build party is missing"):
        client.look_up()


def test_one_who_signs_twice_is_one(publisher: Publisher, client: Client) -> None:
    signers = share(publisher, 2, 3)
    assert sign_by(publisher, [signers[0], signers[0]]) == [1, 1]


def test_who_signs_second_may_come_a_day_later(publisher: Publisher, client: Client) -> None:
    signers = share(publisher, 2, 3)
    sign_by(publisher, signers[:1])
    publisher.now = NOW + DAY
    assert sign_by(publisher, signers[1:2]) == [0]


def test_nobody_signs_what_somebody_else_laid_there(publisher: Publisher) -> None:
    """A thief of one key adds a release to the draft that a colleague is about to sign."""
    first, second, _ = share(publisher, 2, 3)
    sign_by(publisher, [first])
    draft = Metadata[Targets].from_bytes(publisher.store.get("drafts/build-shop.json"))
    draft.signed.targets["build/shop/6.6.6"] = draft.signed.targets["build/shop/1.0"]
    draft.sign(first)
    publisher.store.replace("drafts/build-shop.json", draft.to_bytes())
    with pytest.raises(SigningError, match="says something else"):
        sign_by(publisher, [second])


def test_a_draft_can_be_dropped(publisher: Publisher) -> None:
    first, second, _ = share(publisher, 2, 3)
    sign_by(publisher, [first])
    with pytest.raises(SigningError, match="drop-draft build-shop"):
        sign_by(publisher, [second], LATER)
    assert publisher.repository.drop_draft("build-shop")
    assert sign_by(publisher, [second, first], LATER) == [1, 0]


@pytest.mark.parametrize("needed", [0, 3])
def test_more_signatures_than_keys_are_refused(publisher: Publisher, needed: int) -> None:
    with pytest.raises(SigningError, match=f"{needed} signatures of 2 build keys"):
        share(publisher, needed, 2)


def test_a_revoked_key_signs_no_more_and_its_colleague_goes_on(publisher: Publisher, client: Client) -> None:
    lost, kept = share(publisher, 1, 2)
    sign_by(publisher, [lost])
    publisher.promote()
    client.look_up()
    publisher.repository.revoke_key("build-shop", lost.public_key.keyid, publisher.keys["targets"])
    publisher.promote()
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        client.look_up()
    with pytest.raises(SigningError, match="not one of the build party"):
        sign_by(publisher, [lost])
    sign_by(publisher, [kept])
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_the_number_that_clients_see_never_falls_back_to_what_a_colleague_signed_before(publisher: Publisher) -> None:
    kept, lost = share(publisher, 1, 2)
    sign_by(publisher, [kept])
    publisher.pinned = publisher.root
    sign_by(publisher, [lost], LATER)
    publisher.promote()
    publisher.repository.revoke_key("build-shop", lost.public_key.keyid, publisher.keys["targets"])
    assert publisher.repository.promote(publisher.keys["online"]).roles["build-shop"] == 2
    sign_by(publisher, [kept], LATER)
    assert publisher.repository.promote(publisher.keys["online"]).roles["build-shop"] == 3


def test_the_last_key_is_not_revoked(publisher: Publisher) -> None:
    (only,) = share(publisher, 1, 1)
    with pytest.raises(SigningError, match="needs 1 keys"):
        publisher.repository.revoke_key("build-shop", only.public_key.keyid, publisher.keys["targets"])


def test_after_a_planned_rotation_the_list_is_carried_over(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    publisher.pinned, publisher.keys["build"] = publisher.root, new_signer()
    publisher.add_product()
    publisher.repository.renew("shop", "build", publisher.keys["build"], carry_over=True)
    publisher.promote()
    assert client.look_up().digest == DIGEST


def test_without_being_asked_to_nothing_is_carried_over(publisher: Publisher) -> None:
    publisher.sign()
    publisher.promote()
    publisher.keys["build"] = new_signer()
    publisher.add_product()
    assert publisher.repository.renew("shop", "build", publisher.keys["build"]).releases == 0


def test_root_keys_sign_on_machines_of_their_own(store: BlobStore) -> None:
    holders, targets, online = [new_signer() for _ in range(3)], new_signer(), new_signer()
    keys = [one.public_key for one in holders]
    missing = [
        Repository(store, NOW).make_root(keys, [one], [targets.public_key], [online.public_key], threshold=2).missing
        for one in holders[:2]
    ]
    assert missing == [1, 0]
    Repository(store, NOW).make_targets([targets])
    Repository(store, NOW).promote(online)
    assert Shelf(store).root(None).signed.version == 1


def test_one_stolen_root_key_of_two_makes_no_new_root(store: BlobStore) -> None:
    holders, targets, online, thief = [new_signer() for _ in range(3)], new_signer(), new_signer(), new_signer()
    root = Repository(store, NOW).init(holders, targets, online, root_threshold=2)
    made = Repository(store, NOW, root=root).rotate_root([holders[0], thief], root=[thief.public_key], threshold=1)
    assert made.missing == 1
    assert Shelf(store).root(root).signed.version == 1


def test_two_targets_keys_must_both_add_a_product(store: BlobStore) -> None:
    root, online, targets = new_signer(), new_signer(), [new_signer(), new_signer()]
    keys = {"build": [new_signer().public_key], "release": [new_signer().public_key]}
    repository = Repository(store, NOW)
    repository.make_root(
        [root.public_key], [root], [one.public_key for one in targets], [online.public_key], targets_threshold=2
    )
    repository.make_targets(targets)
    missing = [Repository(store, NOW).add_product("shop", keys, one).missing for one in targets]
    assert missing == [1, 0]


def test_of_very_many_releases_the_oldest_leave_the_list(publisher: Publisher) -> None:
    key = publisher.keys["build"]
    named = [
        publisher.repository.sign(
            ReleaseName("shop", str(number)), "build", key, DIGEST, LENGTH, sequence=number
        ).releases
        for number in range(RELEASES_KEPT + 3)
    ]
    assert max(named) == RELEASES_KEPT
    assert publisher.repository.signed_digest(ReleaseName("shop", "2"), "build") is None
    assert publisher.repository.signed_digest(ReleaseName("shop", "3"), "build") == DIGEST


def test_superseded_versions_are_removed_in_the_end(publisher: Publisher) -> None:
    for number in range(ROLE_VERSIONS_KEPT + 5):
        publisher.sign(ReleaseName("shop", str(number)), parties=["build"])
        publisher.promote()
    left = [path for path in publisher.store.list("metadata") if "build-shop" in path]
    assert len(left) == ROLE_VERSIONS_KEPT


def test_while_nothing_is_new_the_snapshot_is_not_made_anew(publisher: Publisher) -> None:
    publisher.sign()
    first = publisher.repository.promote(publisher.keys["online"])
    publisher.now += DAY
    second = publisher.repository.promote(publisher.keys["online"])
    assert (second.snapshot, second.timestamp) == (first.snapshot, first.timestamp + 1)


def test_there_is_something_to_promote_after_a_signature_and_when_the_timestamp_grows_old(
    publisher: Publisher,
) -> None:
    publisher.promote()
    assert not publisher.repository.is_stale()
    publisher.sign(parties=["build"])
    assert publisher.repository.is_stale()
    publisher.promote()
    assert not publisher.repository.is_stale()
    publisher.now += 2 * DAY
    assert publisher.repository.is_stale()


def test_the_director_and_an_operator_share_no_key(publisher: Publisher) -> None:
    key = new_signer().public_key
    with pytest.raises(SigningError, match="the director and the operators"):
        publisher.repository.set_authority([key], [key], publisher.keys["targets"])
