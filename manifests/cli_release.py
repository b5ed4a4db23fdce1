"""`p2p-manifest inspect`, `diff`, `verify` and `unpack`."""

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
from .diff import Difference, compare
from .manifest import Manifest
from .references import Resolved, Resolver

FILES_SHOWN = 40
"""Rows of a table for people; `--json` has all."""


def inspect(arguments: Namespace, console: Console) -> int:
    """`inspect`."""
    found = _resolver(arguments, unsigned=True)(arguments.manifest)
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
        "manifest_bytes": found.length,
        "chunks": manifest.pieces,
        "kinds": Counter(entry.kind for entry in manifest.entries),
        "algorithm": manifest.algorithm,
        "profile": asdict(manifest.profile),
        "health": asdict(manifest.health) if manifest.health else None,
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
    if manifest.health:
        print(f"healthy when: {shlex.join(manifest.health.argv)}")
    if files:
        rows = [(f"{entry.mode:o}", entry.size, entry.path, entry.target) for entry in manifest.entries]
        console.table("", ("#mode", "#size", "path", "target"), rows)


def _average(manifest: Manifest) -> str:
    return f", {human_bytes(manifest.size / manifest.pieces)} on average" if manifest.pieces else ""


def diff(arguments: Namespace, console: Console) -> int:
    """`diff`."""
    resolve = _resolver(arguments, unsigned=True)
    difference = compare(resolve(arguments.old).manifest, resolve(arguments.new).manifest)
    share = difference.fetch_bytes / difference.new_bytes if difference.new_bytes else 0.0
    console.result(asdict(difference) | {"fetch_share": share}, lambda: _show_difference(difference, share, console))
    return EXIT_OK


def _show_difference(difference: Difference, share: float, console: Console) -> None:
    print(
        f"{human_bytes(difference.fetch_bytes)} of {human_bytes(difference.new_bytes)} travel ({share:.1%}), "
        f"in {difference.requests} chunks; {human_bytes(difference.reused)} are reused"
    )
    own = [change for change in difference.files if change.change != "beside"]
    beside = [change for change in difference.files if change.change == "beside"]
    if own:
        largest = sorted(own, key=lambda change: (-change.fetch_bytes, change.path))
        rows = [
            (change.change, human_bytes(change.fetch_bytes), human_bytes(change.size), change.path)
            for change in largest[:FILES_SHOWN]
        ]
        console.table("", ("", "#travels", "#size", "path"), rows)
    if len(own) > FILES_SHOWN:
        print(f"and {len(own) - FILES_SHOWN} more (--json has all)")
    if beside:
        travels = human_bytes(sum(change.fetch_bytes for change in beside))
        print(f"{len(beside)} unchanged small files ({travels}) travel because they share a chunk with these")


def verify(arguments: Namespace, console: Console) -> int:
    """`verify`."""
    manifest = _resolver(arguments, unsigned=False)(arguments.manifest).manifest
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
    found = _resolver(arguments, unsigned=False)(arguments.manifest)
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


def _resolver(arguments: Namespace, *, unsigned: bool) -> Resolver:
    def store() -> BlobStore:
        if arguments.store is None:
            raise UsageError("a digest or release is looked up in a blob store: give --store URL")
        return BlobStore(arguments.store)

    root = Path(arguments.root).read_bytes() if arguments.root else None
    return Resolver(store, root, time.time, unsigned=unsigned)
