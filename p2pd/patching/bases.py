"""Which earlier releases lie here, whole or in part, that packs of a new one start from."""

from typing import Protocol

from manifests.codec import decode
from manifests.errors import MalformedManifestError
from manifests.manifest import Manifest
from p2pd.policy.patching import WHOLE_SHARE
from p2pd.store import Artifact, Store
from p2pd.world import World

from .patch import Base


class Library(Protocol):
    """Where manifests are."""

    async def find_manifest(self, swarm: bytes) -> bytes | None:
        """One of which only the digest is known, verified; None if it is not to be had now."""
        ...


async def bases_of(release: Artifact, store: Store, world: World, library: Library) -> dict[bytes, Base]:
    """By swarm. Seeds are asked for as long as no base is nearly whole; that reads them, once for all."""
    packs = sorted((pack for pack in release.manifest.packs if pack.base), key=lambda pack: pack.size)
    found = {}
    for pack in packs:
        one = store.artifacts.get(pack.base)
        if one and one.present_bytes:
            found[pack.base] = Base(one.manifest, one, one.present_bytes / one.manifest.size)
    for pack in packs if store.seeds.paths else ():
        if any(base.share >= WHOLE_SHARE for base in found.values()):
            break
        known = found.get(pack.base)
        manifest = known.manifest if known else await _manifest(pack.base, library)
        if manifest is not None:
            share = await _seeded_share(manifest, store, world)
            if share > (known.share if known else 0):
                found[pack.base] = Base(manifest, known.artifact if known else None, share)
    return found


async def _manifest(swarm: bytes, library: Library) -> Manifest | None:
    encoded = await library.find_manifest(swarm)
    try:
        return decode(encoded) if encoded else None
    except MalformedManifestError:
        return None


async def _seeded_share(manifest: Manifest, store: Store, world: World) -> float:
    """Of a release's bytes, what seems to lie in seeds."""
    for path in store.seeds.paths:
        await world.run_blocking(store.seeds.learn, path, manifest)
    held_bytes = await world.run_blocking(store.seeds.held_bytes, manifest)
    return held_bytes / (manifest.size or 1)
