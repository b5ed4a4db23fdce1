"""Edits lead from one manifest to another, and to nothing else."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import codec, edits, limits
from manifests.digest import manifest_digest
from manifests.errors import MalformedManifestError
from manifests.manifest import Manifest, Pack
from manifests.numbers import number, signed
from tests.manifests.factory import make_manifest
from tests.manifests.test_codec import manifests


def large(version: str, changed: tuple[int, ...] = (), pieces: int = 400) -> Manifest:
    """A manifest of pieces without any order, some of which another release has not."""
    digests = [sha256(b"%d %s" % (at, version.encode() if at in changed else b"")).digest() for at in range(pieces)]
    lengths = make_manifest().lengths[:1] * pieces
    entry = replace(make_manifest().entries[1], path="image", size=sum(lengths))
    return replace(make_manifest(), version=version, digests=b"".join(digests), lengths=lengths, entries=(entry,))


def image(version: str) -> Manifest:
    """A manifest of three pieces, which is published in a plain frame."""
    return large(version, (1,), pieces=3)


VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "manifest.json").read_text(encoding="utf-8"))
OLD = codec.encode(large("1"))
NEW = codec.encode(large("2", (7, 8, 300)))
DIGEST = manifest_digest(NEW)


def made(old: bytes = OLD, new: bytes = NEW) -> bytes:
    found = edits.make(old, new)
    assert found is not None
    return found


def test_edits_of_the_old_one_are_the_new_one() -> None:
    assert codec.decode(edits.apply(OLD, made(), DIGEST)) == codec.decode(NEW)


def test_they_are_as_long_as_what_is_new() -> None:
    assert len(made()) < 3 * 32 + 100 < len(NEW) / 50


def test_a_pack_that_starts_from_the_old_one_costs_the_packs_name() -> None:
    pack = Pack(manifest_digest(OLD), sha256(b"pack").digest(), 700, 0)
    named = codec.encode(replace(codec.decode(NEW), packs=(pack,)))
    assert 0 < len(made(OLD, named)) - len(made()) <= 32 + 16


def test_pieces_that_moved_cost_nothing_but_where_they_are() -> None:
    manifest = large("1")
    turned = manifest.digests[6400:] + manifest.digests[:6400]
    assert len(made(OLD, codec.encode(replace(manifest, digests=turned)))) < 100


@given(manifests(), manifests())
def test_between_any_two_they_lead_there_or_there_are_none(old: Manifest, new: Manifest) -> None:
    before, after = codec.encode(old), codec.encode(new)
    found = edits.make(before, after)
    assert found is None or (
        len(found) < len(after) and codec.decode(edits.apply(before, found, manifest_digest(after))) == new
    )


def test_where_nothing_is_alike_there_are_none() -> None:
    assert edits.make(codec.encode(make_manifest()), OLD) is None


def test_what_came_of_edits_can_be_edited_again_and_handed_on() -> None:
    third = codec.encode(large("3", (9,)))
    second = edits.apply(OLD, made(), DIGEST)
    assert second != NEW
    assert made(second, third) == made(NEW, third)
    assert made(OLD, second) == made()


def test_edits_of_another_manifest_are_refused() -> None:
    with pytest.raises(MalformedManifestError):
        edits.apply(codec.encode(large("0", (5,))), made(), DIGEST)


def test_edits_to_another_manifest_than_was_asked_for_are_refused() -> None:
    with pytest.raises(MalformedManifestError, match="another manifest"):
        edits.apply(OLD, made(OLD, codec.encode(large("2", (7,)))), DIGEST)


@given(st.data())
def test_a_changed_byte_leads_nowhere(data: st.DataObject) -> None:
    damaged = bytearray(made())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedManifestError):
        edits.apply(OLD, bytes(damaged), DIGEST)


@given(st.binary(max_size=200))
def test_any_bytes_lead_nowhere(data: bytes) -> None:
    for form in (edits.FRAMED, edits.PLAIN):
        with pytest.raises(MalformedManifestError):
            edits.apply(OLD, bytes((form,)) + data, DIGEST)


def test_of_a_format_that_is_unknown_is_said_so() -> None:
    with pytest.raises(MalformedManifestError, match="edits of format 3, which is unknown here; update this program"):
        edits.apply(OLD, b"\x03" + made()[1:], DIGEST)


def test_to_a_manifest_in_a_plain_frame_they_say_no_frames_digest() -> None:
    old, new = codec.encode(image("1")), codec.encode(image("2"))
    found = made(old, new)
    assert found[0] == edits.PLAIN
    assert codec.frame_digest(new) not in found
    assert edits.apply(old, found, manifest_digest(new)) == codec.frame_digest(new) + codec.document_of(new)


def test_to_another_manifest_they_say_it() -> None:
    assert made()[0] == edits.FRAMED
    assert codec.frame_digest(NEW) in made()


def test_that_a_pack_starts_from_the_old_manifest_costs_one_copy() -> None:
    old = codec.encode(image("1"))
    pack = Pack(manifest_digest(old), sha256(b"pack").digest(), 700, 0)
    with_it, without = (made(old, codec.encode(replace(image("2"), packs=packs))) for packs in ((pack,), ()))
    assert len(with_it) - len(without) <= 32 + 9


@pytest.mark.parametrize("head", [b"\x01" + bytes(32), b"\x02"], ids=["framed", "plain"])
@pytest.mark.parametrize(
    "bomb",
    [
        number(limits.MANIFEST_BYTES_MAX),
        number(2**56),
        number(10**7) + (number(0) + signed(-100) + number(100)) * 3,
        number(100) + number(0) + signed(0) + number(200),
        number(100) + number(0) + signed(-1) + number(50),
        number(100) + (number(0) + signed(5) + number(0)) * 1000,
        number(100) + number(2**40),
    ],
    ids=["too long", "absurd", "backwards", "beyond its own end", "before the start", "stands still", "short"],
)
def test_edits_that_would_take_memory_or_time_are_refused(head: bytes, bomb: bytes) -> None:
    with pytest.raises(MalformedManifestError):
        edits.apply(OLD, head + bomb, DIGEST)


def test_two_manifests_with_nothing_in_common_are_given_up_early() -> None:
    """What is looked up is bounded by the length of the new one, not by the product of both."""
    noise = Random(1).randbytes(32 * 20_000)
    other = codec.encode(replace(large("2", pieces=20_000), digests=noise))
    assert edits.make(OLD, other) is None


def test_the_golden_edits_lead_from_the_golden_manifest_to_the_golden_digest() -> None:
    golden = VECTOR["edits"]
    found = edits.apply(
        bytes.fromhex(VECTOR["manifest"]), bytes.fromhex(golden["edits"]), bytes.fromhex(golden["digest"])
    )
    assert codec.decode(found) == replace(make_manifest(), version="1.1", sequence=8)


def test_the_golden_plain_edits_lead_to_the_golden_digest() -> None:
    golden = {name: bytes.fromhex(value) for name, value in VECTOR["plain"].items() if name != "about"}
    found = edits.apply(golden["manifest"], golden["edits"], golden["digest"])
    assert codec.decode(found) == image("2")
    assert made(golden["manifest"], codec.encode(image("2"))) == golden["edits"]


def test_a_damaged_side_makes_no_edits() -> None:
    old, new = manifest_digest(OLD), DIGEST
    assert edits.between(old, OLD, new, NEW) == (old, made())
    assert edits.between(old, OLD[:-1] + b"!", new, NEW) is None
    assert edits.between(old, OLD, new, NEW[:-1] + b"!") is None
