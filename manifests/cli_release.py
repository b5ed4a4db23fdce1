"""`p2p-manifest inspect`, `verify` and `unpack`."""

import shlex
import time
from argparse import Namespace
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from . import contents
from . import unpack as unpacking
from .blobs import BlobStore
from .console import EXIT_OK, EXIT_UNTRUSTED, Console, UsageError, human_bytes
from .manifest import Manifest
from .references import Resolved, Resolver

FILES_SHOWN = 40
"""Rows of a table for people; `--json` has all."""


def inspect(arguments: Namespace, console: Console) -> int:
    """`inspect`."""
    found = resolver(arguments, unsigned=True)(arguments.manifest)
    console.result(_summary(found, arguments.files), lambda: _show(found, console, arguments.files))
    return EXIT_OK


def _summary(found: Resolved, files: bool) -> dict[str, object]:
    manifest = found.manifest
    value: dict[str, object] = {
        "release": manifest.release,
        "sequence": manifest.sequence,
        "digest": found.digest.hex(),
        "approved": found.approved,
        "tree": manifest.tree,
        "size_bytes": manifest.size,
        "manifest_bytes": len(found.encoded),
        "chunks": manifest.pieces,
        "kinds": Counter(entry.kind for entry in manifest.entries),
        "algorithm": manifest.algorithm,
        "profile": asdict(manifest.profile),
        "health": asdict(manifest.health) if manifest.health else None,
        "packs": [asdict(pack) for pack in manifest.packs],
    }
    if files:
        value["files"] = [asdict(entry) for entry in manifest.entries]
    return value


def _show(found: Resolved, console: Console, files: bool) -> None:
    manifest = found.manifest
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(entry.kind for entry in manifest.entries).items())
    print(f"{manifest.release} (sequence {manifest.sequence}), {'a tree' if manifest.tree else 'a single file'}")
    print(f"digest {found.digest.hex()}")
    print("signed by both parties" if found.approved else "signatures not checked (that takes a release and --root)")
    print(f"{human_bytes(manifest.size)}: {kinds}")
    print(f"{manifest.pieces} chunks by {manifest.algorithm}, profile {manifest.profile.name}{_average(manifest)}")
    for pack in manifest.packs:
        base = f"from {pack.base.hex()[:16]}…" if pack.base else "of all chunks, compressed"
        size = human_bytes(pack.size + pack.manifest_bytes)
        print(f"a pack {base}: {size}, {'' if pack.small else 'manifest '}{pack.manifest.hex()[:16]}…")
    if manifest.health:
        print(f"healthy when: {shlex.join(manifest.health.argv)}")
    if files:
        rows = [(f"{entry.mode:o}", entry.size, entry.path, entry.target) for entry in manifest.entries]
        console.table("", ("#mode", "#size", "path", "target"), rows)


def _average(manifest: Manifest) -> str:
    return f", {human_bytes(manifest.size / manifest.pieces)} on average" if manifest.pieces else ""


def verify(arguments: Namespace, console: Console) -> int:
    """`verify`."""
    manifest = resolver(arguments, unsigned=False)(arguments.manifest).manifest
    with console.progress(f"verifying {manifest.release}", manifest.size) as bar:
        path, times = Path(arguments.path), not arguments.ignore_times
        problems = contents.verify(path, manifest, times=times, advance=bar.advance)
    value = {
        "release": manifest.release,
        "ok": not problems,
        "size_bytes": manifest.size,
        "problems": [asdict(problem) for problem in problems],
    }
    console.result(value, lambda: _show_problems(manifest, problems))
    return EXIT_UNTRUSTED if problems else EXIT_OK


def _show_problems(manifest: Manifest, problems: list[contents.Problem]) -> None:
    for problem in problems[:FILES_SHOWN]:
        print(f"{problem.path}: {problem.what}")
    if len(problems) > FILES_SHOWN:
        print(f"and {len(problems) - FILES_SHOWN} more (--json has all)")
    verdict = f"differs from {manifest.release} in {len(problems)} places" if problems else f"is {manifest.release}"
    print(f"{human_bytes(manifest.size)} checked: {verdict}")


def unpack(arguments: Namespace, console: Console) -> int:
    """`unpack`."""
    found = resolver(arguments, unsigned=False)(arguments.manifest)
    manifest, output = found.manifest, Path(arguments.output)
    with console.progress(f"unpacking {manifest.release}", manifest.size) as bar:
        unpacking.unpack(manifest, BlobStore(arguments.store), output, advance=bar.advance)
    value = {
        "release": manifest.release,
        "output": str(output),
        "size_bytes": manifest.size,
        "approved": found.approved,
    }
    console.result(value, lambda: print(f"{manifest.release} is at {output} ({human_bytes(manifest.size)}, verified)"))
    return EXIT_OK


def resolver(arguments: Namespace, *, unsigned: bool) -> Resolver:
    """Finds the manifests that a command names; see Resolver."""

    def store() -> BlobStore:
        if arguments.store is None:
            raise UsageError("a digest or release is looked up in a blob store: give --store URL")
        return BlobStore(arguments.store)

    root = Path(arguments.root).read_bytes() if arguments.root else None
    return Resolver(store, root, time.time, unsigned=unsigned)
