"""A manifest's bytes: a MessagePack map with fixed keys in a fixed order, long parts laid out in columns; compressed.

Columns make a manifest of 100,000 chunks three objects instead of 200,000, and pack well. The document is canonical:
whatever decodes encodes to the very same one. Compressed, the manifest of a tree of many files is half as long, and
every device fetches it; nobody decompresses bytes whose digest is not right. Normative text: docs/manifest.md.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgpack
import zstandard

from .digest import ALGORITHMS, DIGEST_BYTES, is_framed
from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .errors import MalformedManifestError
from .frames import plain_frame
from .limits import ENTRIES_MAX, MANIFEST_BYTES_MAX
from .manifest import HealthCheck, Manifest, Pack, Profile

FORMAT: Final = 1
KEYS: Final = (
    "format", "product", "version", "sequence", "algorithm", "profile", "health", "tree",
    "digests", "lengths", "paths", "kinds", "modes", "mtimes", "sizes", "targets",
    "packs",
)  # fmt: skip
PLAIN_BYTES: Final = DIGEST_BYTES
"""So much longer a plain frame may be: as much shorter it makes every update by edits."""
_BEST_LEVEL: Final = 19
_QUICK_LEVEL: Final = 9
_LARGE_BYTES: Final = 4 * 2**20
"""Above it, the best level takes more than a few seconds."""
_sha256: Final = ALGORITHMS["sha256"]
_KINDS: Final = {FILE: 0, DIRECTORY: 1, SYMLINK: 2}
_KIND_NAMES: Final = tuple(_KINDS)


def encode(manifest: Manifest) -> bytes:
    """The manifest as it is published: its frame, behind its document's digest. MalformedManifestError if too long."""
    document = encode_document(manifest)
    level = _BEST_LEVEL if len(document) <= _LARGE_BYTES else _QUICK_LEVEL
    parameters = zstandard.ZstdCompressionParameters.from_level(level, source_size=len(document), write_checksum=False)
    frame: bytes = zstandard.ZstdCompressor(compression_params=parameters).compress(document)
    if len(plain := plain_frame(document)) <= len(frame) + PLAIN_BYTES:
        frame = plain
    return _sha256(document) + frame


def encode_document(manifest: Manifest) -> bytes:
    """The manifest before it is compressed: canonical. MalformedManifestError when it would be too long."""
    entries = manifest.entries
    document = dict(
        zip(
            KEYS,
            (
                FORMAT,
                manifest.product,
                manifest.version,
                manifest.sequence,
                manifest.algorithm,
                _profile_row(manifest.profile),
                _health_row(manifest.health),
                manifest.tree,
                manifest.digests,
                _pack("I", manifest.lengths),
                [entry.path for entry in entries],
                bytes(_KINDS[entry.kind] for entry in entries),
                _pack("I", [entry.mode for entry in entries]),
                _pack("q", [entry.mtime_ns for entry in entries]),
                _pack("Q", [entry.size for entry in entries]),
                [entry.target for entry in entries if entry.kind == SYMLINK],
                [[pack.base, pack.manifest, pack.manifest_bytes, pack.size] for pack in manifest.packs],
            ),
            strict=True,
        )
    )
    data: bytes = msgpack.packb(document)
    if len(data) > MANIFEST_BYTES_MAX:
        raise MalformedManifestError(
            f"the manifest has {len(data)} bytes, at most {MANIFEST_BYTES_MAX}; take larger chunks or fewer files"
        )
    return data


def decode(data: bytes) -> Manifest:
    """The manifest of these bytes. Only MalformedManifestError (or its UnsafePathError) for any others."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise MalformedManifestError(f"{len(data)} bytes are too many for a manifest (at most {MANIFEST_BYTES_MAX})")
    packed = document_of(data)
    document = _unpack(packed)
    if not isinstance(document, dict) or not document:
        raise MalformedManifestError("not a manifest: no map of keys")
    version = document.get("format")
    if type(version) is not int:
        raise MalformedManifestError("not a manifest: no format number")
    if version != FORMAT:
        raise MalformedManifestError(
            f"manifest format {version} is unknown here (known: {FORMAT}); update this program"
        )
    if tuple(document) != KEYS:
        raise MalformedManifestError(f"a manifest has the keys {', '.join(KEYS)}, in this order")
    manifest = _manifest(document)
    if encode_document(manifest) != packed:
        raise MalformedManifestError("the manifest's bytes are not canonical")
    return manifest


def document_of(data: bytes) -> bytes:
    """The document of an encoded manifest whose digest was verified; MalformedManifestError."""
    if not is_framed(data):
        return data[DIGEST_BYTES:]
    document = _expand(data[DIGEST_BYTES:])
    if _sha256(document) != data[:DIGEST_BYTES]:
        raise MalformedManifestError("the manifest's frame holds another document than its digest says")
    return document


def frame_digest(data: bytes) -> bytes:
    """The digest of an encoded manifest's frame, which need not be at hand."""
    return _sha256(data[DIGEST_BYTES:]) if is_framed(data) else data[:DIGEST_BYTES]


def _expand(data: bytes) -> bytes:
    """The document; what the frame declares is checked before anything is allocated for it."""
    try:
        size = zstandard.get_frame_parameters(data).content_size
        if size > MANIFEST_BYTES_MAX:  # or not declared, which zstandard says by a huge number
            raise MalformedManifestError(f"not a manifest, or one of more than {MANIFEST_BYTES_MAX} bytes")
        packed: bytes = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MalformedManifestError(f"not a manifest: {error}") from None
    return packed


def _unpack(data: bytes) -> object:
    size = len(data)
    try:
        return msgpack.unpackb(
            data,
            max_array_len=min(size, ENTRIES_MAX),
            max_map_len=len(KEYS),
            max_ext_len=0,
            max_bin_len=size,
            max_str_len=size,
        )
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise MalformedManifestError(f"not a manifest: {error or type(error).__name__}") from None


def _manifest(document: dict[str, Any]) -> Manifest:
    return Manifest(
        product=_expect(document, "product", str),
        version=_expect(document, "version", str),
        sequence=_expect(document, "sequence", int),
        algorithm=_expect(document, "algorithm", str),
        profile=_profile(_expect(document, "profile", list)),
        digests=_expect(document, "digests", bytes),
        lengths=_unpack_column(document, "lengths", "I"),
        entries=_entries(document),
        tree=_expect(document, "tree", bool),
        health=_health(document["health"]),
        packs=_packs(_expect(document, "packs", list)),
    )


def _expect(document: dict[str, Any], key: str, kind: type) -> Any:
    value = document[key]
    if type(value) is not kind:  # not isinstance: True is no sequence number
        raise MalformedManifestError(f"{key} must be of type {kind.__name__}, not {type(value).__name__}")
    return value


def _row(row: Sequence[Any], name: str, kinds: Sequence[type]) -> None:
    if [type(value) for value in row] != list(kinds):
        raise MalformedManifestError(f"{name} must be [{', '.join(kind.__name__ for kind in kinds)}]")


def _profile_row(profile: Profile) -> list[object]:
    return [profile.name, profile.min_bytes, profile.average_bytes, profile.max_bytes]


def _profile(row: list[Any]) -> Profile:
    _row(row, "profile", (str, int, int, int))
    return Profile(*row)


def _health_row(health: HealthCheck | None) -> list[object] | None:
    if health is None:
        return None
    return [list(health.argv), float(health.timeout_s), health.attempts, float(health.interval_s)]


def _health(row: object) -> HealthCheck | None:
    if row is None:
        return None
    if not isinstance(row, list):
        raise MalformedManifestError("health must be nil or an array")
    _row(row, "health", (list, float, int, float))
    argv, timeout_s, attempts, interval_s = row
    _row(argv, "health's command", [str] * len(argv))
    return HealthCheck(tuple(argv), timeout_s, attempts, interval_s)


def _packs(rows: list[Any]) -> tuple[Pack, ...]:
    _row(rows, "packs", [list] * len(rows))
    for row in rows:
        _row(row, "a pack", (bytes, bytes, int, int))
    return tuple(Pack(*row) for row in rows)


def _entries(document: dict[str, Any]) -> tuple[Entry, ...]:
    paths = _expect(document, "paths", list)
    targets = _expect(document, "targets", list)
    kinds = _expect(document, "kinds", bytes)
    _row(paths, "paths", [str] * len(paths))
    _row(targets, "targets", [str] * len(targets))
    columns = [_unpack_column(document, key, code) for key, code in (("modes", "I"), ("mtimes", "q"), ("sizes", "Q"))]
    if {len(paths)} != {len(kinds), *map(len, columns)} or kinds.count(_KINDS[SYMLINK]) != len(targets):
        raise MalformedManifestError("the columns of entries differ in length")
    if kinds and max(kinds) >= len(_KINDS):
        raise MalformedManifestError(f"entry of unknown kind {max(kinds)}")
    links = iter(targets)
    return tuple(
        Entry(path, _KIND_NAMES[kind], mode, mtime_ns, size, next(links) if kind == _KINDS[SYMLINK] else "")
        for path, kind, mode, mtime_ns, size in zip(paths, kinds, *columns, strict=True)
    )


def _pack(code: str, values: "Sequence[int] | array[int]") -> bytes:
    column = array(code, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpack_column(document: dict[str, Any], key: str, code: str) -> "array[int]":
    packed, column = _expect(document, key, bytes), array(code)
    if len(packed) % column.itemsize:
        raise MalformedManifestError(f"{key} is not a row of {column.itemsize}-byte numbers")
    column.frombytes(packed)
    if sys.byteorder == "big":
        column.byteswap()
    return column
