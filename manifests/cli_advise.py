"""`p2p-manifest advise`: what a release has compressed inside, and what that costs every update."""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .console import EXIT_OK, Console, human_bytes
from .nested.advising import Nested, files, is_same, survey
from .nested.recipes import MEMORY_BYTES_MAX
from .nested.saving import Saving, update
from .nested.streams import DEFLATE, GZIP, XZ, ZSTD

FILES_SHOWN = 40
"""Rows of a table for people; `--json` has all."""

_SQUASHFS_ADVICE = (
    "ship ext4 or erofs without compression, for chunks are compressed as they travel: each device compresses every "
    "block of a squashfs again that changed, 14 MB a CPU second (zstd); those of xz, lz4, lzo and lzma are never opened"
)
_ADVICE = {
    ZSTD: "an initrd can be stored as it is (initramfs-tools: COMPRESS=cat; dracut: --no-compress)",
    XZ: "kernels and modules can be built without (CONFIG_KERNEL_UNCOMPRESSED, CONFIG_MODULE_COMPRESS_NONE)",
    GZIP: "documentation can be installed without compression, or not at all (dpkg: path-exclude)",
    DEFLATE: "wheels, jars and other zip files can be unpacked, or stored without compression (zip -0)",
}


def advise(arguments: Namespace, console: Console) -> int:
    """`advise`."""
    new = _survey(Path(arguments.path), console)
    saved = _saved(Path(arguments.old), Path(arguments.path), new, console) if arguments.old else None
    value = {
        "stored_bytes": sum(file.stored_bytes for file in new),
        "expanded_bytes": sum(file.expanded_bytes for file in new),
        "recreatable_bytes": sum(file.recreated_bytes() for file in new),
        "recreatable_by_default_bytes": sum(file.recreated_bytes(MEMORY_BYTES_MAX) for file in new),
        "streams": sum(len(file.members) for file in new),
        "update_closed_bytes": None if saved is None else saved.closed_bytes,
        "update_bytes": None if saved is None else saved.today_bytes,
        "update_plain_bytes": None if saved is None else saved.plain_bytes,
        "advice": _advice(new),
        "files": [_row(file) for file in new],
    }
    console.result(value, lambda: _show(new, saved, console))
    return EXIT_OK


def _survey(path: Path, console: Console, unlike: Path | None = None) -> list[Nested]:
    total = sum(file.stat().st_size for file in files(path))
    with console.progress(f"looking into {path}", total) as bar:
        return survey(path, bar.advance, recipes=unlike is None, unlike=unlike)


def _saved(old_path: Path, new_path: Path, new: Sequence[Nested], console: Console) -> Saving:
    """By an update; what is in both just so does not travel in any case."""
    old = _survey(old_path, console, unlike=new_path)
    changed = [file for file in new if not is_same(file.place, old_path / file.path if old_path.is_dir() else old_path)]
    with update(old, changed) as these, console.progress("measuring an update", these.work_bytes) as bar:
        return these.saving(bar.advance)


def _row(file: Nested) -> dict[str, object]:
    return {
        "path": file.path,
        "kinds": file.kinds,
        "streams": len(file.members),
        "stored_bytes": file.stored_bytes,
        "expanded_bytes": file.expanded_bytes,
        "recreatable_bytes": file.recreated_bytes(),
        "recreated_by": dict(Counter(str(way) for way in file.ways if way)),
        "memory_bytes": file.memory_bytes,
    }


def _advice(found: Sequence[Nested]) -> list[str]:
    kinds = {member.kind for file in found if not file.squashfs for member in file.members}
    words = [words for kind, words in _ADVICE.items() if kind in kinds]
    return [_SQUASHFS_ADVICE, *words] if any(file.squashfs for file in found) else words


def _show(found: Sequence[Nested], saved: Saving | None, console: Console) -> None:
    if not found:
        print("nothing in it is compressed: updates are as small as they can be")
        return
    stored, again = sum(file.stored_bytes for file in found), sum(file.recreated_bytes() for file in found)
    default = sum(file.recreated_bytes(MEMORY_BYTES_MAX) for file in found)
    count = sum(len(file.members) for file in found)
    print(
        f"{count:,} compressed stream{'s' * (count != 1)} in {len(found):,} file{'s' * (len(found) != 1)}: "
        f"{human_bytes(stored)}, of which {human_bytes(again)} can be made again byte for byte, so that only a change "
        f"of what they hold travels ({human_bytes(default)} in {human_bytes(MEMORY_BYTES_MAX)} of memory, as packs are "
        "made by default)"
    )
    _show_largest(found, console)
    if saved:
        print(
            f"an update sends {human_bytes(saved.today_bytes)} for them, {human_bytes(saved.closed_bytes)} if none "
            f"is made again, {human_bytes(saved.plain_bytes)} if what they hold were stored as it is"
        )
    else:
        print("give --old, an earlier release's files, to measure what an update would save")
    for words in _advice(found):
        print(f"- {words}")


def _show_largest(found: Sequence[Nested], console: Console) -> None:
    largest = sorted(found, key=lambda file: (-file.stored_bytes, file.path))
    rows = [
        (
            ", ".join(file.kinds), len(file.members), human_bytes(file.stored_bytes),
            human_bytes(file.expanded_bytes), human_bytes(file.recreated_bytes()), file.path,
        )
        for file in largest[:FILES_SHOWN]
    ]  # fmt: skip
    console.table("", ("", "#streams", "#stored", "#holds", "#made again", "path"), rows)
    if len(found) > FILES_SHOWN:
        print(f"and {len(found) - FILES_SHOWN} more (--json has all)")
