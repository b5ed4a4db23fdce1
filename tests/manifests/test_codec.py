"""A manifest's bytes: one form for one content, and nothing else gets in."""

import json
from array import array
from dataclasses import replace
from hashlib import sha256, shake_128
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from manifests import codec, limits
from manifests.digest import ALGORITHMS, manifest_digest
from manifests.entries import DIRECTORY, FILE
from manifests.errors import MalformedManifestError
from manifests.frames import plain_digest
from manifests.manifest import Entry, HealthCheck, Manifest, Profile
from tests.manifests.factory import make_manifest

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "manifest.json").read_text())
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters="/"),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in (".", ".."))
MTIMES = st.integers(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)
HEALTH = st.builds(
    HealthCheck,
    argv=st.lists(WORDS, min_size=1).map(tuple),
    timeout_s=st.floats(0.001, 3600),
    attempts=st.integers(1, 100),
    interval_s=st.floats(0, 3600),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any flat tree, cut anyhow."""
    names = sorted(draw(st.sets(NAMES, max_size=6)))
    sizes = [draw(st.integers(0, 5000)) for _ in names]
    lengths, left = array("I"), sum(sizes)
    while left:
        lengths.append(draw(st.integers(1, min(left, 2000))))
        left -= lengths[-1]
    digests = draw(st.binary(min_size=32 * len(lengths), max_size=32 * len(lengths)))
    entries = tuple(
        Entry(name, "file", draw(st.integers(0, 0o777)), draw(MTIMES), size)
        for name, size in zip(names, sizes, strict=True)
    )
    return Manifest(
        product="shop",
        version=draw(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")),
        sequence=draw(st.integers(0, limits.SEQUENCE_MAX)),
        algorithm=draw(st.sampled_from(sorted(ALGORITHMS))),
        profile=Profile("any", 1, 1000, 2000),
        digests=digests,
        lengths=lengths,
        entries=entries,
        health=draw(st.none() | HEALTH),
    )


def plain() -> bytes:
    return codec.encode_document(make_manifest())


def packed(document: bytes) -> bytes:
    frame: bytes = zstandard.ZstdCompressor().compress(document)
    return sha256(document).digest() + frame


def altered(**changes: Any) -> bytes:
    """An encoded manifest with some values replaced, in the same order of keys."""
    document: dict[str, Any] = msgpack.unpackb(plain())
    return packed(msgpack.packb(document | changes))


@given(manifests())
def test_what_is_encoded_decodes_to_the_same(manifest: Manifest) -> None:
    assert codec.decode(codec.encode(manifest)) == manifest


@given(st.binary(max_size=200))
def test_any_bytes_are_a_manifest_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedManifestError):
        codec.decode(data)


@given(st.binary(max_size=200))
def test_any_document_is_a_manifest_or_malformed(data: bytes) -> None:
    with pytest.raises(MalformedManifestError):
        codec.decode(packed(data))


@given(st.data())
def test_a_changed_byte_is_another_manifest_or_malformed(data: st.DataObject) -> None:
    document = bytearray(plain())
    position = data.draw(st.integers(0, len(document) - 1))
    document[position] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(packed(bytes(document)))
    except MalformedManifestError:
        return
    assert codec.encode_document(found) == document


@given(st.data())
def test_a_changed_byte_of_what_is_encoded_is_malformed_or_harmless(data: st.DataObject) -> None:
    encoded = bytearray(codec.encode(make_manifest()))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(encoded))
    except MalformedManifestError:
        return
    assert codec.decode(codec.encode(found)) == found


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
), st.sampled_from(codec.KEYS))  # fmt: skip
def test_any_value_under_any_key_is_malformed_or_what_was_there(value: Any, key: str) -> None:
    data = altered(**{key: value})
    try:
        found = codec.decode(data)
    except MalformedManifestError:
        return
    assert packed(codec.encode_document(found)) == data


def test_every_truncation_is_malformed() -> None:
    encoded = codec.encode(make_manifest())
    for length in range(len(encoded)):
        with pytest.raises(MalformedManifestError):
            codec.decode(encoded[:length])


def test_trailing_bytes_are_malformed() -> None:
    with pytest.raises(MalformedManifestError):
        codec.decode(codec.encode(make_manifest()) + b"\0")
    with pytest.raises(MalformedManifestError):
        codec.decode(packed(plain() + b"\0"))


def test_an_empty_frame_is_malformed() -> None:
    with pytest.raises(MalformedManifestError):
        codec.decode(packed(b""))


def test_a_document_that_declares_too_much_is_refused_before_it_is_expanded() -> None:
    with pytest.raises(MalformedManifestError, match="of more than"):
        codec.decode(packed(bytes(limits.MANIFEST_BYTES_MAX + 1)))


def test_a_document_of_unknown_length_is_refused() -> None:
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(plain())
    with pytest.raises(MalformedManifestError, match="of more than"):
        codec.decode(sha256(plain()).digest() + frame)


def test_a_frame_that_holds_another_document_than_its_digest_says_is_malformed() -> None:
    with pytest.raises(MalformedManifestError, match="another document"):
        codec.decode(bytes(32) + packed(plain())[32:])


def test_a_document_behind_its_frames_digest_is_the_same_manifest_by_the_same_name() -> None:
    framed = packed(plain())
    bare = sha256(framed[32:]).digest() + plain()
    assert codec.decode(bare) == codec.decode(framed)
    assert manifest_digest(bare) == manifest_digest(framed)


def test_a_document_longer_than_declared_is_malformed() -> None:
    frame = bytearray(packed(bytes(200)))
    assert frame[37] == 200
    frame[37] = 100
    with pytest.raises(MalformedManifestError, match="not a manifest"):
        codec.decode(bytes(frame))


def test_many_alike_paths_cost_little() -> None:
    names = [f"lib/module-{number:05}.py" for number in range(2000)]
    entries = (Entry("lib", "directory", 0o755), *(Entry(name, "file") for name in names))
    manifest = make_manifest(digests=b"", lengths=array("I"), entries=entries)
    assert len(codec.encode(manifest)) < len(codec.encode_document(manifest)) / 5


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(MalformedManifestError, match="too many for a manifest"):
        codec.decode(bytes(limits.MANIFEST_BYTES_MAX + 1))


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(MalformedManifestError, match="format 2 is unknown"):
        codec.decode(altered(format=2))


def test_keys_in_another_order_are_malformed() -> None:
    document: dict[str, Any] = msgpack.unpackb(plain())
    with pytest.raises(MalformedManifestError, match="in this order"):
        codec.decode(packed(msgpack.packb(dict(reversed(document.items())))))


def test_a_number_in_a_longer_form_is_not_canonical() -> None:
    assert plain().count(b"\xa8sequence\x07") == 1
    with pytest.raises(MalformedManifestError, match="not canonical"):
        codec.decode(packed(plain().replace(b"\xa8sequence\x07", b"\xa8sequence\xcc\x07")))


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"sequence": True}, "sequence must be of type int"),
        ({"sequence": -1}, "sequence -1"),
        ({"product": "Shop"}, "no product's name"),
        ({"algorithm": "md5"}, "unknown digest algorithm"),
        ({"lengths": b"\1\0\0"}, "row of 4-byte numbers"),
        ({"digests": bytes(32)}, "32 bytes of digests for 2 pieces"),
        ({"modes": b""}, "columns of entries differ"),
        ({"kinds": b"\1\0\2\3"}, "unknown kind 3"),
        ({"targets": []}, "columns of entries differ"),
        ({"profile": ["host", 1, 2]}, "profile must be"),
        ({"health": [["true"], 1, 1, 1.0]}, "health must be"),
        ({"health": [[], 1.0, 1, 1.0]}, "1 to 64 words"),
        ({"health": [["true"], float("nan"), 1, 1.0]}, "can't last"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedManifestError, match=reason):
        codec.decode(altered(**changes))


def test_files_that_do_not_add_up_to_the_pieces_are_malformed() -> None:
    with pytest.raises(MalformedManifestError, match="files hold 300 bytes, pieces 301"):
        make_manifest(lengths=array("I", [100, 201]))


def test_a_piece_longer_than_the_profile_allows_is_malformed() -> None:
    with pytest.raises(MalformedManifestError, match="longer than 150 bytes"):
        make_manifest(profile=Profile("small", 1, 100, 150))


def test_more_pieces_than_allowed_are_malformed() -> None:
    count = limits.PIECES_MAX + 1
    entry = Entry("all", "file", size=count)
    with pytest.raises(MalformedManifestError, match="pieces, at most"):
        make_manifest(digests=bytes(32 * count), lengths=array("I", [1]) * count, entries=(entry,))


def test_the_golden_document_is_this() -> None:
    assert plain().hex() == VECTOR["document"]


def test_the_golden_bytes_are_those_of_the_golden_document() -> None:
    assert codec.decode(bytes.fromhex(VECTOR["manifest"])) == make_manifest()


def test_the_golden_digest_is_this() -> None:
    assert manifest_digest(bytes.fromhex(VECTOR["manifest"])).hex() == VECTOR["digest"]


def test_what_hardly_compresses_is_published_in_a_frame_that_anybody_can_write() -> None:
    manifest = make_manifest()
    digests = shake_128(b"digests").digest(32)
    image = replace(
        manifest, digests=digests, lengths=array("I", [100]), entries=(Entry("a", FILE, size=100),), tree=False
    )
    assert codec.frame_digest(codec.encode(image)) == plain_digest(codec.encode_document(image))


def test_what_compresses_is_published_compressed() -> None:
    entries = tuple(Entry(f"documents/of/many/{number}", FILE) for number in range(100, 200))
    directories = tuple(Entry(path, DIRECTORY) for path in ("documents", "documents/of", "documents/of/many"))
    tree = replace(make_manifest(), digests=b"", lengths=array("I"), entries=(*directories, *entries), tree=True)
    assert len(codec.encode(tree)) < len(codec.encode_document(tree)) / 2
