"""Ours: chunks, a manifest and a pack made by the publisher's code, applied by the daemon's on a real disk.

Each step is a process of its own, so that its memory is its own. Processor seconds leave out the start of the
interpreter, memory does not.
"""

import json
import resource
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.nested.recipes import MEMORY_BYTES_MAX

from .corpus import Files
from .judging import OPENED
from .measuring import Cost, output_of
from .opponents import Result, same
from .tools import Tools

if TYPE_CHECKING:
    from p2pd.store import Store

OLD_MANIFEST, PACK_MANIFEST, SMALL_PACK = "old.manifest", "pack.manifest", "small.pack"
NEW_EDITS, NEW_MANIFEST, NEW_DIGEST = "new.edits", "new.manifest", "new.digest"
"""The new manifest as it travels, the one or the other, and its name, which is signed."""
PLENTY_BYTES = 2**30
INSTALLED, PACK, MADE = "installed", "pack", "made"


def device(files: Files, tools: Tools, directory: Path) -> Result:
    """Small chunks."""
    return _compare("ours device", files, directory, "device", MEMORY_BYTES_MAX)


def swarm(files: Files, tools: Tools, directory: Path) -> Result:
    """Small and even ones."""
    return _compare("ours swarm", files, directory, "swarm", MEMORY_BYTES_MAX)


def host(files: Files, tools: Tools, directory: Path) -> Result:
    """Large chunks."""
    return _compare("ours host", files, directory, "host", MEMORY_BYTES_MAX)


def bulk(files: Files, tools: Tools, directory: Path) -> Result:
    """The largest."""
    return _compare("ours bulk", files, directory, "bulk", MEMORY_BYTES_MAX)


def recompressing(files: Files, tools: Tools, directory: Path) -> Result:
    """Small chunks, and every compressed stream opened that can be, whatever memory that takes: beyond a phone."""
    return _compare(OPENED, files, directory, "device", PLENTY_BYTES)


def _compare(name: str, files: Files, directory: Path, profile: str, memory_bytes: int) -> Result:
    published = _step("publish", files, directory, profile, memory_bytes)
    _step("fetch", files, directory, profile, memory_bytes)
    applied = _step("apply", files, directory, profile, memory_bytes)
    return Result(
        name,
        published["fetch_bytes"],
        published["requests"],
        Cost(published["cpu_s"], published["rss_bytes"]),
        Cost(applied["cpu_s"], applied["rss_bytes"]),
        same(directory / MADE, files.new),
        manifest_bytes=published["manifest_bytes"],
    )


def _step(step: str, files: Files, directory: Path, profile: str, memory_bytes: int) -> dict[str, Any]:
    words = (step, files.old, files.new, directory, profile, str(memory_bytes))
    printed = output_of([sys.executable, "-m", "benchmarks.delta.ours", *words])
    result: dict[str, Any] = json.loads(printed)
    return result


def _cpu_s() -> float:
    """Of this process and those that it has waited for: the compressor may be one."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def publish(old: Path, new: Path, directory: Path, profile: str, memory_bytes: int) -> dict[str, Any]:
    """Both releases and the pack between them, in a blob store; what a device that holds the old one fetches."""
    from manifests import edits
    from manifests.blobs import BlobStore, manifest_path
    from manifests.chunker import PROFILES
    from manifests.codec import decode
    from manifests.delta.publishing import from_store, publish_pack
    from manifests.names import ReleaseName
    from manifests.publish import publish as publish_release

    store = BlobStore(str(directory / "blobs"), create=True)
    first = publish_release(old, store, ReleaseName("bench", "1"), profile=PROFILES[profile])
    began = _cpu_s()
    second = publish_release(
        new,
        store,
        ReleaseName("bench", "2"),
        profile=PROFILES[profile],
        packs=lambda made: [
            publish_pack(
                from_store(store, made),
                from_store(store, first.manifest),
                first.digest,
                store,
                opened_memory_bytes=memory_bytes,
            ).pack
        ],
    )
    cpu_s = _cpu_s() - began
    (named,) = second.manifest.packs
    held, fresh, pack = (store.get(manifest_path(one)) for one in (first.digest, second.digest, named.manifest))
    edited = edits.between(first.digest, held, second.digest, fresh)
    travels = edited[1] if edited else fresh  # as it is where most pieces are new, and many of them alike
    pieces = None if named.small else decode(pack)
    files = {
        OLD_MANIFEST: held,
        NEW_EDITS if edited else NEW_MANIFEST: travels,
        NEW_DIGEST: second.digest,
        PACK_MANIFEST if pieces else SMALL_PACK: pack,
    }
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return {
        "cpu_s": cpu_s,
        "fetch_bytes": len(travels) + named.manifest_bytes + named.size,
        "manifest_bytes": len(travels) + (named.manifest_bytes + pieces.lengths[0] if pieces else 0),
        "requests": 2 + (pieces.pieces if pieces else 0),
    }


def fetch(old: Path, new: Path, directory: Path, profile: str, memory_bytes: int) -> dict[str, Any]:
    """A device that holds the old release, and has fetched the pack."""
    from manifests.blobs import BlobStore, chunk_path
    from manifests.codec import decode

    store, packs = _stores(directory)
    first = (directory / OLD_MANIFEST).read_bytes()
    entry = decode(first).entries[0]
    place = directory / INSTALLED
    shutil.copy(old, place)
    place.chmod(entry.mode)
    store.add(first, str(place))
    if (directory / PACK_MANIFEST).exists():
        blobs = BlobStore(str(directory / "blobs"))
        staged = packs.add((directory / PACK_MANIFEST).read_bytes(), str(directory / PACK))
        for piece in range(staged.manifest.pieces):
            packs.write_piece(staged, piece, blobs.get(chunk_path(staged.manifest.digest(piece))), "origin")
    for one in (store, packs):
        one.close()
    return {}


def apply(old: Path, new: Path, directory: Path, profile: str, memory_bytes: int) -> dict[str, Any]:
    """From there to the new release under its name, as the daemon does it."""
    from manifests import edits
    from p2pd.patching.patch import Base, Patch
    from p2pd.patching.smallpatch import SmallPatch
    from p2pd.world.memory import keep_freed

    keep_freed()
    store, packs = _stores(directory)
    began = _cpu_s()
    if (directory / NEW_MANIFEST).exists():
        encoded = (directory / NEW_MANIFEST).read_bytes()
    else:
        encoded = edits.apply(*((directory / name).read_bytes() for name in (OLD_MANIFEST, NEW_EDITS, NEW_DIGEST)))
    release = store.add(encoded, str(directory / MADE))
    for batch in store.reusable(release):
        store.reuse(release, batch)
    (named,) = release.manifest.packs
    base = Base(store.artifacts[named.base].manifest, store.artifacts[named.base])
    if named.small:
        SmallPatch(store, release, (directory / SMALL_PACK).read_bytes(), base).apply()
    else:
        patch = Patch(store, packs, release, packs.artifacts[named.manifest], named, base, memory_bytes)
        if not patch.open():
            raise RuntimeError("the index is damaged")
        for bundle in patch.needed():
            patch.apply(bundle)
    store.finish(release)
    cpu_s = _cpu_s() - began
    for one in (store, packs):
        one.close()
    return {"cpu_s": cpu_s, "bytes_by_source": release.bytes_by_source}


def _stores(directory: Path) -> "tuple[Store, Store]":
    from p2pd.store import Store
    from p2pd.world.real_disk import RealDisk

    stores = Store(RealDisk(), str(directory / "state")), Store(RealDisk(), str(directory / "state-packs"))
    for store in stores:
        store.open()
    return stores


def main() -> None:
    """One step, in this process; what it says as JSON."""
    parser = ArgumentParser()
    parser.add_argument("step", choices=("publish", "fetch", "apply"))
    parser.add_argument("paths", nargs=3, type=Path)
    parser.add_argument("profile")
    parser.add_argument("memory_bytes", type=int)
    given = parser.parse_args()
    steps = {"publish": publish, "fetch": fetch, "apply": apply}
    old, new, directory = given.paths
    said = steps[given.step](old, new, directory, given.profile, given.memory_bytes)
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps(said | {"rss_bytes": peak * 1024}))


if __name__ == "__main__":
    main()
