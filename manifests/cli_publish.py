"""`p2p-manifest publish`: chunks, packs, manifest."""

import json
import shlex
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import chunker
from . import publish as publishing
from .blobs import BlobStore
from .catalog import Catalog, manifest_bytes
from .codec import decode
from .console import EXIT_OK, Console, UsageError, human_bytes
from .delta import choosing
from .delta.choosing import Candidate
from .delta.making import work_bytes
from .delta.matching import missing
from .delta.publishing import MadePack, from_store, publish_pack
from .errors import MalformedManifestError
from .manifest import HealthCheck, Manifest, Pack
from .names import ReleaseName
from .scan import hard_links, scan

BASES_MAX = 3
"""Chosen by a fleet's mix, unless `--bases` says otherwise."""


def publish(arguments: Namespace, console: Console) -> int:
    """`publish`."""
    release = ReleaseName(arguments.product, arguments.version)
    health, path = _health(arguments), Path(arguments.path)
    found, _ = scan(path)
    if links := hard_links(found):
        console.note(f"{links} hard links become files of their own, with the same bytes, which travel once")
    store = BlobStore(arguments.store, create=True)
    total = sum(one.entry.size for one in found)
    with ExitStack() as reading:
        bar = reading.enter_context(console.progress(f"publishing {release}", total))
        packs = Packs(store, release, arguments, console, reading.close)
        done = publishing.publish(
            path,
            store,
            release,
            sequence=arguments.sequence,
            profile=chunker.PROFILES[arguments.profile],
            algorithm=arguments.digest,
            health=health,
            packs=packs.make,
            advance=bar.advance,
        )
    manifest = done.manifest
    value = {
        "release": manifest.release,
        "digest": done.digest.hex(),
        "sequence": manifest.sequence,
        "size_bytes": manifest.size,
        "entries": len(manifest.entries),
        "chunks": manifest.pieces,
        "new_chunks": done.new_chunks,
        "new_bytes": done.new_bytes,
        "reused_chunks": manifest.pieces - done.new_chunks,
        "reused_bytes": manifest.size - done.new_bytes,
        "manifest_bytes": done.manifest_bytes,
        "new": done.new,
        "packs": [_row(one, done.manifest_bytes) for one in packs.made],
    }
    console.result(value, lambda: _show(done, packs.made, console))
    return EXIT_OK


@dataclass(frozen=True, slots=True)
class Row:
    """A pack that was made, for whom."""

    version: str | None
    devices: float | None
    made: MadePack


@dataclass
class Packs:
    """The packs that the flags ask for, made when the pieces are known. `begin` ends what was shown before."""

    store: BlobStore
    release: ReleaseName
    arguments: Namespace
    console: Console
    begin: Callable[[], None]
    made: list[Row] = field(default_factory=list)

    def make(self, manifest: Manifest) -> Iterator[Pack]:
        """One for each base, and one of all pieces for devices without any."""
        self.begin()
        for version, devices in self._bases(manifest):
            if missing(manifest, self._earlier(version)[0]):
                yield self._pack(manifest, version, devices)
            else:
                self.console.note(f"{version} holds every chunk of it: no pack for it")
        compressed = self.arguments.compressed
        if manifest.pieces and (manifest.profile.name == "device" if compressed is None else compressed):
            yield self._pack(manifest, None, None)

    def _pack(self, manifest: Manifest, version: str | None, devices: float | None) -> Pack:
        base, digest = (None, b"") if version is None else self._earlier(version)
        what = f"pack from {version}" if version else "pack of all pieces"
        with self.console.progress(what, work_bytes(manifest, base)) as bar:
            made = publish_pack(
                from_store(self.store, manifest),
                from_store(self.store, base) if base else None,
                digest,
                self.store,
                level=self.arguments.pack_level,
                threads=self.arguments.threads,
                opened_memory_bytes=self.arguments.recompress_memory,
                apply_speed_min=self.arguments.apply_speed,
                advance=bar.advance,
            )
        self.made.append(Row(version, devices, made))
        return made.pack

    def _earlier(self, version: str) -> tuple[Manifest, bytes]:
        digest = Catalog(self.store).digest(ReleaseName(self.release.product, version))
        return decode(manifest_bytes(self.store, digest)), digest

    def _bases(self, manifest: Manifest) -> Sequence[tuple[str, float | None]]:
        """Versions, and how many devices run each where that was said."""
        if self.arguments.fleet_mix:
            candidates = list(self._candidates(manifest))
            chosen = choosing.choose(candidates, BASES_MAX if self.arguments.bases is None else self.arguments.bases)
            total = sum(one.traffic for one in candidates)
            for one in candidates:
                if one.missing_bytes and one not in chosen:
                    share = one.traffic / total if total else 0.0
                    self.console.note(f"no pack for {one.version}: its devices make {share:.2%} of all traffic")
            return [(one.version, one.devices) for one in chosen]
        named = list(dict.fromkeys(self.arguments.base))
        if self.release.version in named:
            raise UsageError(f"--base {self.release.version} is the release itself")
        earlier = [
            one.version
            for one in reversed(Catalog(self.store).releases(self.release.product))
            if one.sequence < manifest.sequence and one.version not in named
        ]
        return [(version, None) for version in (*named, *earlier[: self.arguments.bases or 0])]

    def _candidates(self, manifest: Manifest) -> Iterator[Candidate]:
        text = Path(self.arguments.fleet_mix).read_text(encoding="utf-8")
        try:
            fleet = choosing.mix(json.loads(text))
        except ValueError as error:
            raise UsageError(f"--fleet-mix {self.arguments.fleet_mix}: {error}") from None
        published = {one.version for one in Catalog(self.store).releases(self.release.product)}
        for version, devices in fleet.items():
            if version not in published:
                self.console.note(f"{version}, which {devices:g} devices run, was not published here: no pack for it")
            elif version != self.release.version:
                base, _ = self._earlier(version)
                lacking = sum(manifest.lengths[piece] for piece in missing(manifest, base))
                yield Candidate(version, devices, lacking)


def _row(row: Row, manifest_length: int) -> dict[str, object]:
    made = row.made
    saved = made.missing_bytes - made.fetch_bytes
    return {
        "base": row.version,
        "base_digest": made.pack.base.hex(),
        "digest": made.pack.manifest.hex(),
        "devices": row.devices,
        "missing_bytes": made.missing_bytes,
        "fetch_bytes": made.fetch_bytes + manifest_length,
        "requests": made.requests + 2,
        "opened_streams": made.opened_streams,
        "storage_bytes": made.fetch_bytes,
        "saved_bytes_a_device": saved,
        "saved_bytes": None if row.devices is None else round(saved * row.devices),
    }


def _show(done: publishing.Publication, made: Sequence[Row], console: Console) -> None:
    manifest = done.manifest
    print(f"{manifest.release} (sequence {manifest.sequence}){'' if done.new else ', as published before'}")
    print(f"{human_bytes(manifest.size)} in {manifest.pieces} chunks, manifest {human_bytes(done.manifest_bytes)}")
    print(f"new to the store: {human_bytes(done.new_bytes)} in {done.new_chunks} chunks")
    if made:
        columns = ("who has", "#devices", "#lacks", "#fetches", "#requests", "#saves", "#stored")
        console.table("packs", columns, [_cells(row, done.manifest_bytes) for row in made])
    print(f"digest {done.digest.hex()}")
    print("now both parties sign: p2p-manifest sign")


def _cells(row: Row, manifest_length: int) -> tuple[str, ...]:
    made, devices = row.made, row.devices
    saved = made.missing_bytes - made.fetch_bytes
    return (
        row.version or "nothing",
        "" if devices is None else f"{devices:,g}",
        human_bytes(made.missing_bytes),
        human_bytes(made.fetch_bytes + manifest_length),
        str(made.requests + 2),
        f"{human_bytes(saved)} each" if devices is None else human_bytes(saved * devices),
        human_bytes(made.fetch_bytes),
    )


def _health(arguments: Namespace) -> HealthCheck | None:
    if arguments.health is None:
        return None
    try:
        words = tuple(shlex.split(arguments.health))
        return HealthCheck(
            words, float(arguments.health_timeout), arguments.health_attempts, float(arguments.health_interval)
        )
    except (ValueError, MalformedManifestError) as error:
        raise UsageError(f"--health: {error}") from None
