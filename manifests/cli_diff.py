"""`p2p-manifest diff`: what would travel from one release, file or tree to another, and why."""

from argparse import Namespace
from dataclasses import asdict, dataclass
from pathlib import Path

from . import chunker, picture
from .blobs import BlobStore
from .catalog import manifest_bytes
from .cli_release import resolver
from .codec import decode
from .console import EXIT_OK, Console, UsageError, human_bytes
from .delta import index_codec
from .delta.making import work_bytes
from .delta.matching import Source
from .delta.measuring import manifest_travels, measure, measure_chunks, route_of
from .delta.pack import PackIndex
from .delta.publishing import from_store
from .delta.sources import from_path, recut
from .diff import PATCHED, Difference, Route, Travel, compare, travels
from .digest import DIGEST_BYTES, ZSTD_MAGIC, is_framed
from .errors import MalformedManifestError
from .limits import MANIFEST_BYTES_MAX
from .manifest import Manifest, Profile
from .names import ReleaseName
from .scan import Refused, survey

FILES_SHOWN = 40
"""Rows of a table for people; `--json` has all."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its manifest, and a way to its pieces where there is one. `digest`, `encoded`: as it was
    published, if it was. `refused`: what keeps it from being published.
    """

    manifest: Manifest
    source: Source | None
    digest: bytes | None = None
    encoded: bytes = b""
    refused: tuple[Refused, ...] = ()


def diff(arguments: Namespace, console: Console) -> int:
    """`diff`."""
    store = BlobStore(arguments.store) if arguments.store else None
    published = [_published(name, arguments, store) for name in (arguments.old, arguments.new)]
    like = next((side.manifest for side in reversed(published) if side), None)
    profile = like.profile if like and not arguments.profile else chunker.PROFILES[arguments.profile or "host"]
    algorithm = like.algorithm if like else "blake3"
    product = like.product if like else "local"
    old, new = (
        side or _local(Path(name), ReleaseName(product, version), profile, algorithm, console)
        for side, name, version in zip(published, (arguments.old, arguments.new), ("old", "new"), strict=True)
    )
    difference, pieces = _compare(old, new, arguments, console, store)
    rows = [_what_if(name, old, new, arguments, console) for name in arguments.what_if]
    share = difference.fetch_bytes / difference.new_bytes if difference.new_bytes else 0.0
    value = asdict(difference) | {"fetch_share": share, "profile": new.manifest.profile.name, "what_if": rows}
    value["not_releasable"] = [asdict(one) for one in new.refused]
    if arguments.html:
        Path(arguments.html).write_text(picture.page(old.manifest, new.manifest, difference, pieces), encoding="utf-8")
    console.result(value, lambda: _show(difference, share, rows, console))
    return EXIT_OK


def _published(name: str, arguments: Namespace, store: BlobStore | None) -> Side | None:
    """The side of a manifest; None for a file or tree itself."""
    path = Path(name)
    if path.is_dir() or (path.is_file() and not _is_manifest(path)):
        return None
    found = resolver(arguments, unsigned=True)(name)
    source = from_store(store, found.manifest) if store else None
    return Side(found.manifest, source, found.digest, found.encoded)


def _is_manifest(path: Path) -> bool:
    with path.open("rb") as file:
        if not is_framed(file.read(DIGEST_BYTES + len(ZSTD_MAGIC))) or path.stat().st_size > MANIFEST_BYTES_MAX:
            return False
    try:
        decode(path.read_bytes())
    except MalformedManifestError:
        return False
    return True


def _local(path: Path, release: ReleaseName, profile: Profile, algorithm: str, console: Console) -> Side:
    seen = survey(path)
    if seen.refused:
        count, first = len(seen.refused), seen.refused[0]
        console.note(f"{path} can be compared, but not released: {count} paths, such as {first.path} ({first.why})")
    total = sum(one.entry.size for one in seen.found)
    with console.progress(f"cutting {path}", total) as bar:
        source = from_path(path, release, profile, algorithm=algorithm, advance=bar.advance)
    return Side(source.manifest, source, refused=tuple(seen.refused))


def _compare(
    old: Side, new: Side, arguments: Namespace, console: Console, store: BlobStore | None
) -> tuple[Difference, list[Travel]]:
    """As it was published; or, for what nobody published, as it could be."""
    patches = arguments.patches if arguments.patches is not None else new.digest is None
    if patches:
        return _measure(old, new, arguments, console)
    route = _route(old, new, store) if arguments.patches is None else None
    length = measure_chunks(old.manifest, new.manifest).manifest_bytes
    if old.encoded and new.encoded:
        length = manifest_travels(old.encoded, new.encoded)
    if new.digest is not None and new.digest == old.digest:
        length = 0  # the same release: whoever has it has its manifest
    return compare(old.manifest, new.manifest, length, route), travels(old.manifest, new.manifest, route)


def _measure(old: Side, new: Side, arguments: Namespace, console: Console) -> tuple[Difference, list[Travel]]:
    if old.source is None or new.source is None:
        raise UsageError("patches are made from chunks: give --store URL, or the files themselves")
    total = work_bytes(new.manifest, old.manifest)
    with console.progress(f"patches, profile {new.manifest.profile.name}", total) as bar:
        return measure(
            old.source,
            new.source,
            threads=arguments.threads,
            opened_memory_bytes=arguments.recompress_memory,
            apply_speed_min=arguments.apply_speed,
            advance=bar.advance,
        )


def _route(old: Side, new: Side, store: BlobStore | None) -> Route | None:
    """The pack that the new release names for the old one."""
    pack = next((pack for pack in new.manifest.packs if pack.base == old.digest), None)
    if pack is None:
        return None
    if store is None:
        raise UsageError("the release names a pack, which is looked up in a blob store: give --store URL")
    data = manifest_bytes(store, pack.manifest)

    def index() -> tuple[PackIndex, int]:
        manifest = decode(data)
        return index_codec.decode(from_store(store, manifest).read(0)), manifest.lengths[0]

    return route_of(pack, data, index, new.manifest)


def _what_if(name: str, old: Side, new: Side, arguments: Namespace, console: Console) -> dict[str, object]:
    """The same, cut by another profile: in whole chunks, and with patches."""
    if old.source is None or new.source is None:
        raise UsageError("another profile cuts anew: give --store URL, or the files themselves")
    profile = chunker.PROFILES[name]
    console.note(f"cutting both as {name}")
    before, after = recut(old.source, profile), recut(new.source, profile)
    chunks = measure_chunks(before.manifest, after.manifest)
    packed, _ = _measure(Side(before.manifest, before), Side(after.manifest, after), arguments, console)
    return {
        "profile": name,
        "chunks_fetch_bytes": chunks.fetch_bytes,
        "chunks_requests": chunks.requests,
        "fetch_bytes": packed.fetch_bytes,
        "requests": packed.requests,
        "manifest_bytes": packed.manifest_bytes,
    }


def _show(difference: Difference, share: float, rows: list[dict[str, object]], console: Console) -> None:
    print(
        f"{human_bytes(difference.fetch_bytes)} of {human_bytes(difference.new_bytes)} travel ({share:.2%}), "
        f"in {difference.requests} requests; {human_bytes(difference.manifest_bytes)} of them say what is what"
    )
    ways = (("reused", difference.reused), (PATCHED, difference.patched), ("full", difference.full))
    print("the new release is " + ", ".join(f"{human_bytes(count)} {way}" for way, count in ways))
    own = [change for change in difference.files if change.change != "beside"]
    beside = [change for change in difference.files if change.change == "beside"]
    if own:
        largest = sorted(own, key=lambda change: (-change.fetch_bytes, change.path))
        cells = [
            (
                one.change, human_bytes(one.fetch_bytes), human_bytes(one.size), human_bytes(one.reused),
                human_bytes(one.patched), human_bytes(one.full), one.path,
            )
            for one in largest[:FILES_SHOWN]
        ]  # fmt: skip
        console.table("", ("", "#travels", "#size", "#reused", "#patched", "#full", "path"), cells)
    if len(own) > FILES_SHOWN:
        print(f"and {len(own) - FILES_SHOWN} more (--json has all)")
    if beside:
        travels_beside = human_bytes(sum(change.fetch_bytes for change in beside))
        print(f"{len(beside)} unchanged small files ({travels_beside}) travel because they share a chunk with these")
    if rows:
        _show_what_if(rows, console)


def _show_what_if(rows: list[dict[str, object]], console: Console) -> None:
    def size(row: dict[str, object], key: str) -> str:
        return human_bytes(float(str(row[key])))

    cells = [
        (
            row["profile"], size(row, "fetch_bytes"), row["requests"], size(row, "manifest_bytes"),
            size(row, "chunks_fetch_bytes"), row["chunks_requests"],
        )
        for row in rows
    ]  # fmt: skip
    columns = ("profile", "#with patches", "#requests", "#manifests", "#in whole chunks", "#requests")
    console.table("what if", columns, cells)
