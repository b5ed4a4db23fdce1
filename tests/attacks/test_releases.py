"""The store and every mirror are the attacker's, and some keys: what both parties did not sign does not run."""

import pytest
import trio
from trio.testing import MockClock

from manifests.blobs import BlobStore, manifest_path
from manifests.names import parse_release
from manifests.tuf_api import CryptoSigner, Metadata, Snapshot, TargetFile, Targets
from tests.attacks.siege import DAY_S, Siege, nothing_visible
from tests.manifests.factory import Publisher, new_signer
from tests.stories.publisher import changed, make_files
from tests.stories.services import Host


def resign(siege: Siege, path: str, signer: CryptoSigner, change: str = "version", by: int = 1) -> Metadata[Targets]:
    """The mirror's file of this path with a field raised, signed by this key alone."""
    metadata = Metadata[Targets].from_bytes(siege.mirror.files[path])
    setattr(metadata.signed, change, getattr(metadata.signed, change) + by)
    metadata.sign(signer)
    siege.mirror.files[path] = metadata.to_bytes()
    return metadata


async def test_arbitrary_software_by_a_repository_of_the_attackers_own(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    theirs = Publisher(BlobStore("memory:///"), siege.publishing.publisher.now)
    theirs.sign(parse_release("shop@1"))
    theirs.promote()
    siege.mirror.copy(theirs.store)
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))
    assert nothing_visible(host)


async def test_arbitrary_software_in_place_of_the_signed_manifest(siege: Siege, autojump_clock: MockClock) -> None:
    honest = siege.publish("shop@1")
    other = siege.publish("shop@2", changed(make_files(files=2)))
    siege.mirror.files[manifest_path(honest.digest)] = siege.mirror.files[manifest_path(other.digest)]
    host = await siege.host()
    await siege.tracker.say(siege.goal("shop@1"))
    await trio.sleep(60)
    assert nothing_visible(host)
    assert host.state() == "DOWNLOADING"
    assert "manifest" in host.service()["waits_for"]


async def test_arbitrary_software_chunk_by_chunk(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    for path, data in siege.mirror.files.items():
        if path.startswith("chunks/"):
            siege.mirror.files[path] = b"!" * len(data)
    host = await siege.host()
    await siege.tracker.say(siege.goal("shop@1"))
    await trio.sleep(60)
    assert nothing_visible(host)
    assert host.service()["progress"] == 0


@pytest.mark.parametrize("party, missing", [("build", "release"), ("release", "build")])
async def test_one_party_alone(siege: Siege, autojump_clock: MockClock, party: str, missing: str) -> None:
    siege.publish("shop@1", parties=(party,))
    host = await siege.host()
    assert f"the {missing} party is missing" in await siege.refused(host, siege.goal("shop@1"))


async def test_one_party_that_signs_in_the_others_role_too(siege: Siege, autojump_clock: MockClock) -> None:
    """The build party's key thief also writes the release party's file."""
    siege.publish("shop@1", parties=("build",))
    siege.publish("shop@0", files={"a": b"a"})
    thief = siege.publishing.publisher.keys["build"]
    forged = Metadata[Targets].from_bytes(siege.mirror.files["metadata/1.release-shop.json"])
    digest = (
        Metadata[Targets].from_bytes(siege.mirror.files["metadata/1.build-shop.json"]).signed.targets["build/shop/1"]
    )
    forged.signed.targets["release/shop/1"] = TargetFile(digest.length, digest.hashes, "release/shop/1")
    forged.sign(thief)
    siege.mirror.files["metadata/1.release-shop.json"] = forged.to_bytes()
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))


async def test_the_wrong_products_keys(siege: Siege, autojump_clock: MockClock) -> None:
    """Both of till's parties say that they release shop@1, each in its own list."""
    siege.publish("shop@0", files={"a": b"a"})
    keys = {"build": new_signer(), "release": new_signer()}
    publisher = siege.publishing.publisher
    publisher.repository.add_product("till", {k: [v.public_key] for k, v in keys.items()}, publisher.keys["targets"])
    for party, signer in keys.items():
        listed = Targets(1, expires=publisher.now.replace(year=publisher.now.year + 1))
        path = f"{party}/shop/1"
        listed.targets[path] = TargetFile(10, {"sha256": "00" * 32}, path)
        metadata = Metadata[Targets](listed)
        metadata.sign(signer)
        siege.store.put_new(f"metadata/1.{party}-till.json", metadata.to_bytes())
    publisher.promote()
    siege.refresh_mirror()
    host = await siege.host()
    assert await siege.refused(host, siege.goal("shop@1")) == "nobody has signed shop@1"


async def test_mix_and_match_of_an_old_list_with_a_new_snapshot(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    siege.mirror.files["metadata/2.release-shop.json"] = siege.mirror.files["metadata/1.release-shop.json"]
    host = await siege.host()
    assert "rollback" in await siege.refused(host, siege.goal("shop@2"))


async def test_mix_and_match_of_an_old_snapshot_with_a_new_timestamp(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    names = sorted(path for path in siege.mirror.files if path.endswith(".snapshot.json"))
    siege.mirror.files[names[-1]] = siege.mirror.files[names[-2]]
    host = await siege.host()
    assert "rollback" in await siege.refused(host, siege.goal("shop@2"))


async def rolled_back(siege: Siege) -> Host:
    """A host that has seen the newest metadata, and a mirror that serves what there was before."""
    siege.publish("shop@1")
    before = dict(siege.mirror.files)
    siege.publish("shop@2", changed(make_files(files=2)))
    host = await siege.host()
    await siege.runs(host, "shop@2", siege.goal("shop@2"))
    siege.mirror.files = before
    return host


async def test_rollback_of_the_metadata(siege: Siege, autojump_clock: MockClock) -> None:
    host = await rolled_back(siege)
    assert "(rollback)" in await siege.refused(host, siege.goal("shop@1", rollback=True))


async def test_rollback_of_the_metadata_after_a_restart(siege: Siege, autojump_clock: MockClock) -> None:
    host = await rolled_back(siege)
    await host.kill()
    await host.start()
    assert "(rollback)" in await siege.refused(host, siege.goal("shop@1", rollback=True))


async def test_rollback_to_an_approved_older_release_without_an_order(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    host = await siege.host()
    await siege.runs(host, "shop@2", siege.goal("shop@2"))
    assert "is older than shop@2" in await siege.refused(host, siege.goal("shop@1"))
    assert host.service()["running_release"] == "shop@2"


async def test_indefinite_freeze(siege: Siege, autojump_clock: MockClock) -> None:
    """The mirror never shows anything newer; after the timestamp's life nothing is installed any more."""
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    host.skew_s = 3 * DAY_S  # the time has come
    assert "expired" in await siege.refused(host, siege.goal("shop@2"))
    assert host.service()["running_release"] == "shop@1"


async def test_indefinite_freeze_with_a_clock_that_is_set_back(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    siege.publish("shop@2", changed(make_files(files=2)))
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    host.skew_s = 4 * DAY_S
    await siege.refused(host, siege.goal("shop@2"))
    await host.stop()
    host.skew_s = 0.0
    await host.start()
    await trio.sleep(200)
    assert "expired" in host.service()["error"]
    assert host.service()["running_release"] == "shop@1"


async def test_a_revoked_release(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1")
    publisher = siege.publishing.publisher
    publisher.repository.revoke(parse_release("shop@1"), "release", publisher.keys["release"])
    publisher.promote()
    siege.refresh_mirror()
    host = await siege.host()
    assert "the release party is missing" in await siege.refused(host, siege.goal("shop@1"))


async def test_a_revoked_release_that_a_host_was_fetching(siege: Siege, autojump_clock: MockClock) -> None:
    """The mirror hides the revocation from a host that has seen it."""
    siege.publish("shop@1")
    before = dict(siege.mirror.files)
    publisher = siege.publishing.publisher
    publisher.repository.revoke(parse_release("shop@1"), "release", publisher.keys["release"])
    publisher.promote()
    siege.refresh_mirror()
    host = await siege.host()
    await siege.refused(host, siege.goal("shop@1"))
    siege.mirror.files = before
    await trio.sleep(200)
    assert "(rollback)" in host.service()["error"]
    assert nothing_visible(host)


async def test_fast_forward_of_the_timestamp_and_recovery_from_it(siege: Siege, autojump_clock: MockClock) -> None:
    """The online key is stolen and used to sign the highest version of all."""
    siege.publish("shop@1")
    publisher = siege.publishing.publisher
    resign(siege, "metadata/timestamp.json", publisher.keys["online"], by=2**31)
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    siege.publish("shop@2", changed(make_files(files=2)))
    assert "(rollback)" in await siege.refused(host, siege.goal("shop@2"))
    publisher.keys["online"] = new_signer()
    publisher.repository.rotate_root([publisher.keys["root"]], online=publisher.keys["online"].public_key)
    publisher.promote()
    siege.refresh_mirror()
    await siege.runs(host, "shop@2", within_s=200)


async def test_fast_forward_of_a_partys_list_and_recovery_from_it(siege: Siege, autojump_clock: MockClock) -> None:
    """Party's key and online key are stolen: the list's version in the snapshot can't go down again for old keys."""
    siege.publish("shop@1")
    publisher = siege.publishing.publisher
    far = 2**31
    listed = resign(siege, "metadata/1.build-shop.json", publisher.keys["build"], by=far)
    siege.mirror.files[f"metadata/{listed.signed.version}.build-shop.json"] = listed.to_bytes()
    name = max(path for path in siege.mirror.files if path.endswith(".snapshot.json"))
    snapshot = Metadata[Snapshot].from_bytes(siege.mirror.files[name])
    snapshot.signed.meta["build-shop.json"].version = listed.signed.version
    snapshot.sign(publisher.keys["online"])
    siege.mirror.files[name] = snapshot.to_bytes()
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    publisher.keys |= {"online": new_signer(), "build": new_signer()}
    publisher.repository.rotate_root([publisher.keys["root"]], online=publisher.keys["online"].public_key)
    publisher.add_product()
    siege.publish("shop@2", changed(make_files(files=2)))
    await siege.runs(host, "shop@2", siege.goal("shop@2"), within_s=200)


async def test_a_thief_of_the_online_key_alone_releases_nothing(siege: Siege, autojump_clock: MockClock) -> None:
    """It can name versions, not make them."""
    siege.publish("shop@1", parties=("build",))
    siege.publish("shop@0", files={"a": b"a"})
    online = siege.publishing.publisher.keys["online"]
    resign(siege, "metadata/1.release-shop.json", online)
    host = await siege.host()
    assert "does not verify" in await siege.refused(host, siege.goal("shop@1"))
