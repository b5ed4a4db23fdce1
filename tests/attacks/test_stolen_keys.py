"""Key compromise below the threshold: who has stolen fewer keys than must sign has stolen nothing that counts."""

from trio.testing import MockClock

from manifests.names import parse_release
from manifests.tuf_api import CryptoSigner, Metadata, Root, Targets
from tests.attacks.siege import Siege, nothing_visible
from tests.manifests.factory import new_signer
from tests.stories.publisher import changed, make_files


def share(siege: Siege, needed: int) -> list[CryptoSigner]:
    """Three people are shop's release party; so many must sign."""
    publisher = siege.publishing.publisher
    people = [new_signer() for _ in range(3)]
    keys = {"build": [publisher.keys["build"].public_key], "release": [one.public_key for one in people]}
    publisher.repository.add_product("shop", keys, publisher.keys["targets"], thresholds={"release": needed})
    return people


async def test_one_stolen_key_of_a_party_of_two(siege: Siege, autojump_clock: MockClock) -> None:
    """The thief writes the list by hand, with one signature, and one more under a colleague's id."""
    people = share(siege, 2)
    release = siege.publish("shop@1", parties=("build",))
    publisher = siege.publishing.publisher
    for one in people[:2]:
        publisher.repository.sign(parse_release("shop@1"), "release", one, release.digest, release.manifest_bytes)
    publisher.promote()
    siege.refresh_mirror()
    forged = Metadata[Targets].from_bytes(siege.mirror.files["metadata/1.release-shop.json"])
    forged.signed.targets["release/shop/2"] = forged.signed.targets["release/shop/1"]
    forged.signatures.clear()
    forged.sign(people[2])
    stolen = forged.signatures[people[2].public_key.keyid]
    forged.signatures[people[0].public_key.keyid] = type(stolen)(people[0].public_key.keyid, stolen.signature)
    siege.mirror.files["metadata/1.release-shop.json"] = forged.to_bytes()
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))
    assert nothing_visible(host)


async def test_two_keys_of_a_party_of_two_release(siege: Siege, autojump_clock: MockClock) -> None:
    people = share(siege, 2)
    release = siege.publish("shop@1", parties=("build",))
    publisher = siege.publishing.publisher
    for one in people[1:]:
        publisher.repository.sign(parse_release("shop@1"), "release", one, release.digest, release.manifest_bytes)
    publisher.promote()
    siege.refresh_mirror()
    await siege.runs(await siege.host(), "shop@1", siege.goal("shop@1"))


async def test_a_revoked_key_of_a_party(siege: Siege, autojump_clock: MockClock) -> None:
    """The thief signs on with it, and even has the online role show it."""
    lost, kept, _ = share(siege, 1)
    publisher = siege.publishing.publisher
    publisher.keys["release"] = lost
    siege.publish("shop@1")
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    publisher.repository.revoke_key("release-shop", lost.public_key.keyid, publisher.keys["targets"])
    publisher.promote()
    publisher.keys["release"] = kept
    siege.publish("shop@2", changed(make_files(files=2)))
    forged = Metadata[Targets].from_bytes(siege.mirror.files["metadata/2.release-shop.json"])
    forged.signatures.clear()
    forged.sign(lost)
    honest = siege.mirror.files["metadata/2.release-shop.json"]
    siege.mirror.files["metadata/2.release-shop.json"] = forged.to_bytes()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@2"))
    siege.mirror.files["metadata/2.release-shop.json"] = honest
    await siege.runs(host, "shop@2", within_s=200)


async def test_one_stolen_root_key_of_two(siege: Siege, autojump_clock: MockClock) -> None:
    """The thief makes a root of their own, in which all keys are theirs, and signs it with what they have."""
    holders, thief = [new_signer() for _ in range(3)], new_signer()
    publisher = siege.publishing.publisher
    publisher.repository.rotate_root(
        [publisher.keys["root"], *holders[:2]], root=[one.public_key for one in holders], threshold=2
    )
    publisher.promote()
    siege.publish("shop@1")
    forged = Metadata[Root].from_bytes(siege.mirror.files["metadata/2.root.json"])
    forged.signed.version = 3
    for role in ("root", "targets", "snapshot", "timestamp"):
        for keyid in forged.signed.roles[role].keyids.copy():
            forged.signed.revoke_key(keyid, role)
        forged.signed.add_key(thief.public_key, role)
        forged.signed.roles[role].threshold = 1
    forged.signatures.clear()
    forged.sign(holders[0])
    forged.sign(thief, append=True)
    siege.mirror.files["metadata/3.root.json"] = forged.to_bytes()
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))
    assert nothing_visible(host)
