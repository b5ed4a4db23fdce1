"""Wherever the power goes while a pack is applied: what is called present is right, what was verified and made durable
is not fetched again, the destination is absent or complete, and a restart brings it to its end."""

from random import Random

import pytest

from p2pd.patching.patch import Base, Patch
from p2pd.store import Artifact
from tests.fakes.disk import MemoryDisk, PowerCut
from tests.p2pd.store.releases import DESTINATION, install, is_exactly, opened

from .packed import NEW_DESTINATION, PACK_FILE, Packed, packed, reopened

PACKS = "/var/packs"


WAYS = pytest.mark.parametrize("which", [packed(), reopened()], ids=["patches", "a stream that is opened"])


def fetch_and_apply(disk: MemoryDisk, which: Packed, fetched: list[int]) -> Artifact:
    """What the daemon does to its disk, as often as need be, from whatever is there. `fetched`: of the pack."""
    store, packs = opened(disk), opened(disk, PACKS)
    base = install(store, which.old, DESTINATION)
    release = store.add(which.new.encoded, NEW_DESTINATION)
    if not release.finished:
        for batch in store.reusable(release):
            store.reuse(release, batch)
        pack = packs.add(which.pack.encoded, PACK_FILE)
        for piece in list(pack.missing()):
            fetched.append(piece)
            packs.write_piece(pack, piece, which.pack.data[piece], "peer")
            packs.checkpoint(pack)
        patch = Patch(store, packs, release, pack, which.named, Base(base.manifest, base))
        assert patch.open()
        for bundle in patch.needed():
            assert patch.apply(bundle)
        if not pack.finished:
            packs.finish(pack)
        store.finish(release)
    store.close()
    packs.close()
    return release


def check(disk: MemoryDisk, which: Packed) -> None:
    """Safety, of all that a new process finds."""
    for store in (opened(disk), opened(disk, PACKS)):
        for artifact in store.artifacts.values():
            release = next(one for one in (which.old, which.new, which.pack) if one.swarm == artifact.swarm)
            for piece in range(release.manifest.pieces):
                assert artifact.has(piece) == (store.read_piece(artifact, piece) == release.data[piece])
        store.close()
    for destination, release in ((DESTINATION, which.old), (NEW_DESTINATION, which.new)):
        assert disk.stat(destination) is None or is_exactly(disk, destination, release)


def steps_of_a_whole_life(which: Packed) -> int:
    disk = MemoryDisk()
    fetch_and_apply(disk, which, [])
    return disk.steps


@WAYS
@pytest.mark.parametrize("rng_seed", [None, 1, 2])
def test_a_power_cut_at_every_step_leaves_old_or_new_and_a_restart_goes_on(rng_seed: int | None, which: Packed) -> None:
    rng = None if rng_seed is None else Random(rng_seed)
    for step in range(steps_of_a_whole_life(which)):
        disk, fetched = MemoryDisk(), list[int]()
        disk.power_cut_after(step)
        try:
            fetch_and_apply(disk, which, fetched)
        except PowerCut:
            disk.crash(rng)
            check(disk, which)
            fetch_and_apply(disk, which, fetched)
        assert is_exactly(disk, NEW_DESTINATION, which.new)
        assert len(fetched) <= which.pack.manifest.pieces + 1  # at most what was on its way is fetched again


@WAYS
def test_after_kill_9_nothing_at_all_is_fetched_again(which: Packed) -> None:
    for step in range(steps_of_a_whole_life(which)):
        disk, fetched = MemoryDisk(), list[int]()
        disk.power_cut_after(step)
        try:
            fetch_and_apply(disk, which, fetched)
        except PowerCut:
            disk.restore_power()
            disk.kill()
            fetch_and_apply(disk, which, fetched)
        assert is_exactly(disk, NEW_DESTINATION, which.new)
        again = len(fetched) - len(set(fetched))
        assert again <= 1  # the piece that was being written
