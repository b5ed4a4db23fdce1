"""All releases on this machine: those being fetched and those being kept, each a member of its swarm."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final

import trio

from manifests.names import ReleaseName
from manifests.trust import Approved
from p2pd.adding import add_release, all_readable, held_manifests
from p2pd.announcer import Announcer
from p2pd.content import describe
from p2pd.exchange import Exchange, Membership
from p2pd.lan import LanDesk
from p2pd.manifest_race import ManifestRace
from p2pd.origins import Origins
from p2pd.patching.config import PatchingConfig
from p2pd.patching.patching import Patching
from p2pd.patching.smallpacks import SmallPacks
from p2pd.policy.announcing import PEERS_WANTED, peers_wanted
from p2pd.store import Artifact, ArtifactElsewhereError, NoSpaceError, Store
from p2pd.swarm import Ledger, Swarm
from p2pd.wire import bits
from p2pd.wire.announce import Handout, PeerInfo, SwarmStatus
from p2pd.world import World

RETRY_S: Final = 2.0
VERIFY_PIECES: Final = 64
"""Pieces of a kept release read again in one hop: 16 MiB in chunks of 256 KiB."""
CHECKPOINT_LOOK_S: Final = 5.0
DUE_MAX: Final = 1_024
"""Deadlines remembered: one for each service, and some of services that are gone."""


@dataclass(slots=True)
class Download:
    """One release on its way, at a `step`: manifest, verify, reuse, patch, fetch, finish. `waits_for`: why it doesn't
    move."""

    release: ReleaseName
    swarm: bytes
    manifest_length: int
    destination: str
    started_at: float
    step: str = "manifest"
    waits_for: str = ""
    in_place: bool = False
    artifact: Artifact | None = None
    resumed_bytes: int = 0
    """Found verified on disk when it began: what an earlier run had fetched."""
    reused_pieces: int = 0
    first_piece_s: float | None = None
    ledger: Ledger = field(default_factory=Ledger)
    done: trio.Event = field(default_factory=trio.Event)


class Downloads:
    """Fetches releases and shares what is here. `packs`: the store of packs, no releases; `small`: small ones."""

    def __init__(
        self, world: World, store: Store, packs: Store, exchange: Exchange, origins: Origins, announcer: Announcer,
        patching: PatchingConfig, small: SmallPacks,
    ) -> None:  # fmt: skip
        self._world, self._store, self._exchange = world, store, exchange
        self._origins, self._announcer = origins, announcer
        self.patching = Patching(world, store, packs, exchange, patching, self, small)
        self.race = ManifestRace(exchange, origins, self._known_peers, world.run_blocking)
        self._seeders: tuple[PeerInfo, ...] = ()
        self.lan: LanDesk | None = None
        """Set where peers on the LAN are looked for."""
        self.active: dict[bytes, Download] = {}
        self.begun = trio.Event()
        """Set, and replaced by a new one, with each that begins."""
        self.recent: dict[bytes, Download] = {}
        """Those that ended in this run."""
        self._handouts: dict[bytes, Handout] = {}
        """The newest of each swarm."""
        self._removing: dict[bytes, trio.Event] = {}
        self.make_room: Callable[[NoSpaceError], Awaitable[bool]] | None = None
        """Deletes what nobody needs; whether that is enough."""
        self._asks_for_holders = False
        self.paused = False
        self.floor_bytes_per_s = 0.0
        """Of each download: where peers bring less, HTTP helps."""
        self._due: dict[str, float] = {}

    # -- what is here -------------------------------------------------------------------------------------------

    def share_all(self) -> None:
        """Be in the swarm of every release that is whole on this disk."""
        for artifact in [*self._store.artifacts.values(), *self.patching.shelf.store.artifacts.values()]:
            if artifact.finished and artifact.swarm not in self._exchange.memberships:
                self._join(artifact)
        self.announce()

    async def remove(self, swarm: bytes) -> None:
        """Leave a swarm and delete its release, unless it is just being fetched."""
        artifact = self._store.artifacts.get(swarm)
        if artifact is None or swarm in self.active or swarm in self._removing:
            return
        gone = self._removing[swarm] = trio.Event()
        try:
            await self._delete(artifact)
        finally:
            del self._removing[swarm]
            gone.set()
        self.announce()

    async def _delete(self, artifact: Artifact) -> None:
        self._exchange.leave(artifact.swarm)
        self._forget(artifact.swarm)
        await self._world.run_blocking(self._store.remove, artifact)

    def _forget(self, swarm: bytes) -> None:
        self.recent.pop(swarm, None)
        self._handouts.pop(swarm, None)

    def statuses(self) -> list[SwarmStatus]:
        """How far we are in all our swarms, and how many more peers each wants to know."""
        memberships = self._exchange.memberships
        statuses = [
            SwarmStatus(
                swarm,
                one.brain.present.bit_count(),
                one.manifest.pieces,
                PEERS_WANTED
                if self._asks_for_holders
                else peers_wanted(complete=one.brain.complete, neighbours=one.brain.serving_neighbours),
            )
            for swarm, one in memberships.items()
        ]
        joining = [swarm for swarm in dict.fromkeys((*self.active, *self.race.announced)) if swarm not in memberships]
        return statuses + [SwarmStatus(swarm, 0, 0, PEERS_WANTED) for swarm in joining]

    async def learn_holders(self, within_s: float) -> None:
        """Have the tracker name peers also of what we have all of."""
        self._asks_for_holders = True
        self.announce()
        await trio.sleep(within_s)
        self._asks_for_holders = False

    def holders(self, swarm: bytes) -> int:
        """How many others have all of it, as far as is known; shields not counted."""
        membership, handout = self._exchange.memberships.get(swarm), self._handouts.get(swarm)
        return max(handout.holders if handout else 0, len(membership.brain.holders) if membership is not None else 0)

    def announce(self) -> None:
        """Tell the tracker which swarms we are in."""
        statuses = self.statuses()
        self._announcer.update(statuses)
        if self.lan is not None:
            self.lan.update(status.swarm for status in statuses)

    def on_handout(self, handout: Handout) -> None:
        """The tracker names peers."""
        self._handouts[handout.swarm] = handout
        self._name_importers(handout.swarm)
        self._exchange.neighbours.suggest(handout.swarm, handout.peers)
        self.race.on_handout(handout.swarm)

    def _name_importers(self, swarm: bytes) -> None:
        membership = self._exchange.memberships.get(swarm)
        handout = self._handouts.get(swarm)
        if membership is not None and handout is not None:
            now, circles = trio.current_time(), membership.brain.circles
            circles.name_importers(handout.importers, handout.copies, handout.inner, now)

    def on_lan_news(self) -> None:
        """Somebody on the LAN said something new."""
        if self.lan is not None:
            self._exchange.neighbours.nearby = self.lan.nearby.nodes
            for swarm in self._exchange.memberships:
                self._exchange.neighbours.suggest(swarm, self.lan.peers(swarm))

    def _known_peers(self, swarm: bytes) -> tuple[PeerInfo, ...]:
        """Nearest first, shields last."""
        nearby = self.lan.peers(swarm) if self.lan is not None else ()
        handout = self._handouts.get(swarm)
        named = sorted(handout.peers if handout else (), key=lambda peer: peer.role == "seeder")
        return (*nearby, *named, *self._seeders)

    def use_seeders(self, seeders: tuple[PeerInfo, ...]) -> None:
        """The tracker names the region's shields: each is a permanent seed of everything."""
        self._seeders = seeders
        for swarm in self._exchange.memberships:
            self._exchange.neighbours.suggest(swarm, seeders)

    def finish_by(self, release: str, due_at: float) -> None:
        """It should be here by then (on trio's clock; inf: whenever): HTTP brings what peers would bring too late."""
        self._due.pop(release, None)
        self._due[release] = due_at
        if len(self._due) > DUE_MAX:
            del self._due[next(iter(self._due))]
        for membership in self._exchange.memberships.values():
            if membership.manifest.release == release:
                self._aim(membership)

    def _aim(self, membership: Membership) -> None:
        due_at, now = self._due.get(membership.manifest.release, inf), trio.current_time()
        membership.brain.aim(finish_by=due_at, floor_per_s=self.floor_bytes_per_s, now=now)
        self._exchange.settle(membership, now)

    def pause(self, paused: bool) -> None:
        """The user wants nothing to be fetched now (or no longer wants that). Serving goes on."""
        self.paused = paused
        for swarm in (*self.active, *self.patching.packs_at_work):
            membership = self._exchange.memberships.get(swarm)
            if membership is not None:
                self._apply_pause(membership)

    def _apply_pause(self, membership: Membership) -> None:
        membership.paused, now = self.paused, trio.current_time()
        if self.paused:
            membership.brain.pause()
        else:
            membership.brain.resume(now)
        self._exchange.settle(membership, now)

    def waits_for(self, release: str) -> str:
        """Why this release's download does not move; '' when it does, or when there is none."""
        for swarm, download in self.active.items():
            if str(download.release) == release:
                membership = self._exchange.memberships.get(swarm)
                if download.step == "manifest" and swarm in self.race.wanted:
                    return self.race.wanted[swarm].waits_for
                if membership is None or download.step not in ("patch", "fetch"):
                    return download.waits_for
                words = membership.problem or self.patching.waits_for(swarm)
                return words or membership.brain.snapshot(trio.current_time()).waits_for
        return ""

    # -- one download -------------------------------------------------------------------------------------------

    async def fetch(self, approved: Approved, destination: str, *, in_place: bool = False) -> Artifact:
        """Bring a release to `destination`, whole and verified; returns when it is visible there. `in_place`: over the
        file or block device that is there.

        Ends only in success or in an error that waiting can't cure: UntrustedReleaseError (what was signed for is not a
        manifest of this release), StoreError or OSError (the disk). Everything else is waited for, and `waits_for`
        says what.
        """
        if (other := self.active.get(approved.digest)) is not None:
            raise ArtifactElsewhereError(str(other.release), other.destination)
        download = Download(approved.release, approved.digest, approved.length, destination, trio.current_time())
        download.in_place = in_place
        self.active[approved.digest] = download
        self.begun.set()
        self.begun = trio.Event()
        self.announce()
        try:
            while (leaving := self._removing.get(approved.digest)) is not None:
                await leaving.wait()
            artifact = await self._prepare(download, approved.edits)
            if not artifact.finished:
                await self._complete(download, artifact)
            elif artifact.swarm not in self._exchange.memberships:
                self._join(artifact)
            return artifact
        finally:
            self.recent[approved.digest] = self.active.pop(approved.digest)
            self._drop_if_unfinished(approved.digest)
            if approved.digest not in self._store.artifacts:
                self._forget(approved.digest)
            self.announce()
            download.done.set()

    def _drop_if_unfinished(self, swarm: bytes) -> None:
        artifact = self._store.artifacts.get(swarm)
        if artifact is None or not artifact.finished:
            self._exchange.leave(swarm)

    async def _prepare(self, download: Download, edits: Sequence[int]) -> Artifact:
        artifact = self._store.artifacts.get(download.swarm)
        if artifact is None:
            held = await self._world.run_blocking(held_manifests, self._store, download.release, edits)
            encoded = await self.race.run(download.swarm, download.manifest_length, self.announce, held=held)
        else:  # what lies here must be what was asked for, too
            encoded = await self._world.run_blocking(self._store.read_manifest, artifact)
            if artifact.finished and not await self._intact(download, artifact):
                await self._delete(artifact)  # a finished release is never written to: it is fetched anew, whole
        artifact = await self._add(encoded, download)
        download.artifact = artifact
        download.resumed_bytes = artifact.present_bytes
        return artifact

    async def _add(self, encoded: bytes, download: Download) -> Artifact:
        add = partial(add_release, self._store, encoded, download.release, download.destination, download.in_place)
        try:
            return await self._world.run_blocking(add)
        except NoSpaceError as error:
            if self.make_room is None or not await self.make_room(error):
                raise
        return await self._world.run_blocking(add)

    async def _intact(self, download: Download, artifact: Artifact) -> bool:
        """A release that lay here since it was installed is about to run again: are its files still what was signed?"""
        download.step = "verify"
        if not artifact.complete:
            return False
        for start in range(0, artifact.manifest.pieces, VERIFY_PIECES):
            pieces = range(start, min(start + VERIFY_PIECES, artifact.manifest.pieces))
            if not await self._world.run_blocking(all_readable, self._store, artifact, pieces):
                return False
        return True

    async def _complete(self, download: Download, artifact: Artifact) -> None:
        download.step = "reuse"
        await self._reuse(download, artifact)
        download.step = "patch"
        plan = await self.patching.plan(artifact)
        membership = self.join(artifact, 0 if plan.packs else bits.full(artifact.manifest.pieces))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._checkpoint, download, artifact)
            await self.patching.bring(artifact, membership, plan)
            download.step = "fetch"
            await membership.completed.wait()
            nursery.cancel_scope.cancel()
        download.step = "finish"
        while True:
            try:
                await self._world.run_blocking(self._store.finish, artifact)
            except NoSpaceError as error:
                download.waits_for = str(error)
            except OSError as error:
                download.waits_for = describe(error)
            else:
                break
            await trio.sleep(RETRY_S)
        membership.brain.pause()  # a finished release is never written to again

    async def _checkpoint(self, download: Download, artifact: Artifact) -> None:
        while True:
            await trio.sleep(CHECKPOINT_LOOK_S)
            if self._store.checkpoint_due(artifact, trio.current_time()):
                try:
                    await self._world.run_blocking(self._store.checkpoint, artifact)
                except OSError as error:  # tried again; what is not durable is only fetched again after a power cut
                    download.waits_for = describe(error)

    async def _reuse(self, download: Download, artifact: Artifact) -> None:
        """Copy what older releases and seeds hold; never fetch that."""
        for path in self._store.seeds.paths:
            await self._world.run_blocking(self._store.seeds.learn, path, artifact.manifest)
        for batch in await self._world.run_blocking(self._store.reusable, artifact):
            download.reused_pieces += len(await self._world.run_blocking(self._store.reuse, artifact, batch))

    def join(self, artifact: Artifact, wanted: int) -> Membership:
        """Be in the swarm of what is to be fetched, ask for this set of its pieces only, and tell the tracker."""
        membership = self._join(artifact, wanted)
        if self.paused:
            self._apply_pause(membership)
        self.announce()
        return membership

    def leave(self, swarm: bytes) -> None:
        """Be in a pack's swarm no longer."""
        self._exchange.leave(swarm)
        self._forget(swarm)
        self.announce()

    def _join(self, artifact: Artifact, wanted: int | None = None) -> Membership:
        manifest = artifact.manifest
        present = bits.from_bitfield(artifact.present, manifest.pieces)
        name = self._exchange.hello().node
        dice = self._world.dice(manifest.release)
        brain = Swarm(manifest.lengths, present, rng=dice, now=trio.current_time(), name=name)

        async def fetch(digest: bytes, length: int) -> bytes:
            return await self._origins.present.fetch_chunk(digest, length, manifest.algorithm)

        if wanted is not None:
            brain.want(wanted, trio.current_time())
        membership = Membership(artifact.swarm, manifest, brain, fetch)
        if artifact.finished:
            brain.pause()  # pieces that rot are told to be lost; a finished release is never written to again
        self._exchange.join(membership)
        self._name_importers(artifact.swarm)
        self._aim(membership)
        self._exchange.neighbours.suggest(artifact.swarm, self._known_peers(artifact.swarm))
        return membership

    # -- what packs need too ------------------------------------------------------------------------------------

    async def obtain_manifest(self, swarm: bytes, length: int) -> bytes:
        """A manifest's bytes, verified; tried until they come."""
        return await self.race.run(swarm, length, self.announce)

    async def obtain_small(self, pack: bytes, length: int, release: bytes) -> bytes:
        """A small pack's bytes, verified; tried until they come, from whoever has its release."""
        return await self.race.run(pack, length, lambda: None, like=release)

    async def find_manifest(self, swarm: bytes) -> bytes | None:
        """One of which only the digest is known; None if it is not to be had now."""
        return await self.race.find(swarm)
