"""Making a release from packs: fetch one as an artifact, apply each bundle as it comes, leave the rest to its swarm.

    nothing held, links cheap          everything comes as it is
    pack at work                       its pieces are not asked for as they are
    base piece damaged, object bad     that piece comes as it is, counted
    pack brings nothing for STALL_S    its pieces may come as they are too, counted; until it moves again
    budget of such bytes used up       wait, and say so

What can't be undone is done by `Patch` and the stores, a piece at a time, so every restart goes on where it was.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol, TypeVar

import trio

from manifests.console import human_bytes
from manifests.errors import MalformedManifestError, MalformedPackError
from manifests.packs import Pack
from p2pd.content import describe
from p2pd.exchange import Exchange, Membership
from p2pd.policy.patching import STALL_S, Fallback, Offer, choose_packs
from p2pd.store import Artifact, NoSpaceError, Store, StoreError
from p2pd.swarm import Reason
from p2pd.wire import bits
from p2pd.world import World

from .bases import bases_of
from .config import PatchingConfig
from .patch import INDEX_PIECE, Base, Made, Patch
from .shelf import Shelf
from .smallpacks import SmallPacks
from .smallpatch import SmallPatch

LOOK_S: Final = 1.0
"""How often what may be fetched as it is is thought over."""
RETRY_S: Final = 2.0

Result = TypeVar("Result")


class Ways(Protocol):
    """What the daemon does for packs as for releases."""

    async def obtain_manifest(self, swarm: bytes, length: int) -> bytes:
        """A manifest's bytes, verified; tried until they come."""
        ...

    async def obtain_small(self, pack: bytes, length: int, release: bytes) -> bytes:
        """A small pack's bytes, verified, from whoever is in its release's swarm; tried until they come."""
        ...

    async def find_manifest(self, swarm: bytes) -> bytes | None:
        """One of which only the digest is known, verified; None if it is not to be had now."""
        ...

    def join(self, artifact: Artifact, wanted: int) -> Membership:
        """Be in the swarm of an artifact, and ask for this set of pieces only."""
        ...

    def leave(self, swarm: bytes) -> None:
        """Be in it no longer."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """`packs`: to be taken, the next when one ends with something missing. `bases`: what they start from."""

    packs: tuple[Pack, ...]
    bases: Mapping[bytes, Base]


@dataclass(slots=True)
class Work:
    """A release being made. `hoped`: the set of pieces that the pack at hand is expected to bring."""

    release: Artifact
    membership: Membership
    fallback: Fallback
    hoped: int
    pack: Pack | None = None
    packs_left: int = 0
    problem: str = ""
    """What nothing but a person can change, and keeps a pack from being applied ('' if nothing)."""
    because: str = ""
    """Why pieces come as they are ('' if none do)."""
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def hope_for(self, pieces: int) -> None:
        """The pack at hand is expected to bring these; what it leaves is for the next pack, where there is one."""
        self.hoped = self.missing if self.packs_left else pieces

    @property
    def missing(self) -> int:
        """The set of pieces that are not present."""
        pieces = self.release.manifest.pieces
        return bits.full(pieces) & ~bits.from_bitfield(self.release.present, pieces)


@dataclass(slots=True)
class Counts:
    """Since this daemon began."""

    pack_bytes: int = 0
    patched_bytes: int = 0
    fallback_bytes: int = 0
    refused_pieces: int = 0
    """Pieces that a pack did not make: a base was damaged, or the pack was."""


class Patching:
    """Makes releases from packs. `store` holds releases, `packs` the packs, `small` the small ones."""

    def __init__(
        self, world: World, store: Store, packs: Store, exchange: Exchange, config: PatchingConfig, ways: Ways,
        small: SmallPacks,
    ) -> None:  # fmt: skip
        self._world, self._store, self._exchange = world, store, exchange
        self._config, self._ways = config, ways
        self.small = small
        self.shelf = Shelf(world, packs, config.keep_s, ways.leave)
        self.work: dict[bytes, Work] = {}
        """By the release's swarm."""
        self.counts = Counts()
        self.make_room: Callable[[NoSpaceError], Awaitable[bool]] | None = None
        """Deletes what nobody needs; whether that is enough."""

    @property
    def packs_at_work(self) -> list[bytes]:
        """Swarms of the packs that are being fetched."""
        packs = (work.pack for work in self.work.values())
        return [pack.manifest for pack in packs if pack is not None and not pack.small]

    def pack_at_work(self, release: bytes) -> bytes:
        """The swarm of the pack that is being fetched for it; empty for none."""
        work = self.work.get(release)
        return work.pack.manifest if work is not None and work.pack is not None else b""

    async def plan(self, release: Artifact) -> Plan:
        """What to make this release from; to be known before its swarm is joined, or that would bring all as it is."""
        bases = {}
        if self._config.packs:
            bases = await bases_of(release, self._store, self._world, self._ways)
        return Plan(tuple(self._choose(release, bases)), bases)

    async def bring(self, release: Artifact, membership: Membership, plan: Plan) -> None:
        """Returns when the release is complete; at once when no pack can help."""
        if not plan.packs:
            return
        lengths, now = release.manifest.lengths, trio.current_time()
        fallback = Fallback(lengths, self._config.fallback_bytes_max, now)
        work = Work(release, membership, fallback, bits.full(len(lengths)), packs_left=len(plan.packs))
        with self._at_work(work):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, work)
                nursery.start_soon(self._go_through, plan, work)
                await membership.completed.wait()
                nursery.cancel_scope.cancel()
        for pack in plan.packs:
            await self._seal(pack.manifest)

    async def _seal(self, swarm: bytes) -> None:
        """A pack has done its work. One that came whole is shared after a restart, too."""
        pack = self.shelf.store.artifacts.get(swarm)
        try:
            await self._world.run_blocking(self.shelf.clear, swarm)
            if pack is None or pack.finished or not pack.complete:
                return
            await self._world.run_blocking(self.shelf.store.finish, pack)
        except (StoreError, OSError):
            return  # it is no release: without room it is shared for as long as this process lives
        self._exchange.memberships[swarm].brain.pause()  # a finished file is never written to again

    @contextmanager
    def _at_work(self, work: Work) -> Iterator[None]:
        self.work[work.release.swarm] = work
        try:
            yield
        finally:
            del self.work[work.release.swarm]
            self.counts.fallback_bytes += work.fallback.spent_bytes(work.missing)

    def _choose(self, release: Artifact, bases: Mapping[bytes, Base]) -> list[Pack]:
        packs = {pack.manifest: pack for pack in release.manifest.packs} if self._config.packs else {}
        offers = [Offer(one.manifest, one.base, one.manifest_bytes + one.size) for one in packs.values()]
        chosen = choose_packs(
            offers,
            held={swarm: base.share for swarm, base in bases.items()},
            missing_bytes=release.manifest.size - release.present_bytes,
            dear_link=self._config.dear_link,
        )
        return [packs[one] for one in chosen]

    def waits_for(self, release: bytes) -> str:
        """Why the making of this release stands still, where that is not for its own swarm to say."""
        work = self.work.get(release)
        if work is None:
            return ""
        if work.fallback.refused_bytes:
            return (
                f"{work.because or 'no pack brings the rest'}: {human_bytes(work.fallback.refused_bytes)} would have "
                f"to come as they are, which fallback_bytes_max = {human_bytes(work.fallback.bytes_max)} does not allow"
            )
        pack = self._membership(work)
        if work.problem or pack is None or work.fallback.stalled(trio.current_time()):
            return work.problem
        words = pack.problem or pack.brain.snapshot(trio.current_time()).waits_for
        return f"its pack: {words}" if words else ""

    def standstill(self, release: bytes) -> Reason | None:
        """The same, to count by."""
        work = self.work.get(release)
        if work is None:
            return None
        if work.fallback.refused_bytes:
            return Reason.FALLBACK
        if work.problem:
            return Reason.DISK
        pack = self._membership(work)
        if pack is None:
            return Reason.PATCHING
        return Reason.DISK if pack.problem else pack.brain.standstill(trio.current_time()) or Reason.PATCHING

    # -- what may come as it is ---------------------------------------------------------------------------------

    async def _watch(self, work: Work) -> None:
        """Grant pieces as time and events allow."""
        while True:
            self._grant(work)
            if work.packs_left and work.fallback.stalled(trio.current_time()):
                work.scope.cancel()  # the next pack may be to be had
            await self._checkpoint(work)
            await trio.sleep(LOOK_S)

    async def _checkpoint(self, work: Work) -> None:
        packs = self.shelf.store
        pack = packs.artifacts.get(work.pack.manifest) if work.pack else None
        if pack is not None and packs.checkpoint_due(pack, trio.current_time()):
            try:
                await self._world.run_blocking(packs.checkpoint, pack)
            except OSError as error:  # tried again; what is not durable is only fetched again after a power cut
                work.because = describe(error)

    def _grant(self, work: Work) -> None:
        now, brain, pack = trio.current_time(), work.membership.brain, self._membership(work)
        if brain.resting or (pack is not None and pack.brain.resting):
            work.fallback.progress(now)
        elif pack is not None:
            work.fallback.progress(pack.brain.progress_at)
        if work.pack is not None and work.fallback.stalled(now):
            work.because = f"the pack brought nothing for {STALL_S:.0f} s"
        brain.want(work.fallback.grant(missing=work.missing, hoped=work.hoped, now=now), now)
        self._exchange.settle(work.membership, now)

    def _membership(self, work: Work) -> Membership | None:
        """Our being in the swarm of the pack at hand."""
        return self._exchange.memberships.get(work.pack.manifest) if work.pack else None

    # -- one pack after the other -------------------------------------------------------------------------------

    async def _go_through(self, plan: Plan, work: Work) -> None:
        for pack in plan.packs:
            work.pack, work.packs_left, work.hoped = pack, work.packs_left - 1, work.missing
            work.fallback.progress(trio.current_time())
            self.shelf.use(pack.manifest)
            try:
                with trio.CancelScope() as work.scope:
                    await self._take(pack, plan.bases.get(pack.base), work)
            except (MalformedManifestError, StoreError) as error:
                work.because = f"a pack can't be used: {error}"
            except OSError as error:
                work.because = f"a pack can't be used: {describe(error)}"
            finally:
                self._want(pack.manifest, 0)
                work.pack = None
                self.shelf.put_back(pack.manifest)
        work.hoped = 0
        self._grant(work)

    def _want(self, swarm: bytes, pieces: int) -> None:
        membership = self._exchange.memberships.get(swarm)
        if membership is not None:
            now = trio.current_time()
            membership.brain.want(pieces, now)
            self._exchange.settle(membership, now)

    async def _take(self, named: Pack, base: Base | None, work: Work) -> None:
        """Fetch a pack, and apply it as it comes. MalformedManifestError, StoreError, OSError."""
        if named.small:
            await self._take_small(named, base, work)
            return
        pack = await self._lay_out(named)
        membership = self._exchange.memberships.get(pack.swarm) or self._ways.join(pack, 1 << INDEX_PIECE)
        patch = Patch(
            self._store, self.shelf.store, work.release, pack, named, base, self._config.recompressing_bytes_max
        )
        self._want(pack.swarm, 1 << INDEX_PIECE)
        await self._read_index(patch, membership)
        needed = await self._world.run_blocking(patch.needed)
        work.hope_for(_union(needed))
        self._want(pack.swarm, bits.of(1 + bundle for bundle in needed))
        await self._apply_all(patch, membership, needed, work)

    async def _take_small(self, named: Pack, base: Base | None, work: Work) -> None:
        release = work.release
        data = self.small.get(named.manifest) or await self._ways.obtain_small(
            named.manifest, named.manifest_bytes, release.swarm
        )
        self.small.keep(named.manifest, release.manifest.release, data)
        made = await self._apply(SmallPatch(self._store, release, data, base).apply, work)
        work.hope_for(0)
        self._take_note(made, named.manifest_bytes, work)

    async def _lay_out(self, named: Pack) -> Artifact:
        packs = self.shelf.store
        known = packs.artifacts.get(named.manifest)
        if known is not None:
            return known
        encoded = await self._ways.obtain_manifest(named.manifest, named.manifest_bytes)
        add = partial(self._world.run_blocking, packs.add, encoded, self.shelf.destination(named.manifest))
        try:
            pack = await add()
        except NoSpaceError as error:
            if self.make_room is None or not await self.make_room(error):
                raise
            pack = await add()
        if pack.manifest.size != named.size or not pack.manifest.pieces:
            raise MalformedPackError("the pack has another size than was signed for")
        return pack

    async def _read_index(self, patch: Patch, membership: Membership) -> None:
        while True:
            news = membership.news()
            if patch.pack.has(INDEX_PIECE):
                if await self._world.run_blocking(patch.open):
                    return
                self._lost(patch, membership, INDEX_PIECE)
            await news.wait()

    def _lost(self, patch: Patch, membership: Membership, piece: int) -> None:
        """A piece of the pack rotted on this disk: fetched again, unless the pack was sealed."""
        if patch.pack.finished:
            raise StoreError(f"the pack that was kept is damaged at piece {piece}")
        now = trio.current_time()
        membership.brain.lose(piece, now)
        self._exchange.settle(membership, now)

    async def _apply_all(self, patch: Patch, membership: Membership, needed: dict[int, int], work: Work) -> None:
        """Apply each needed bundle once it is there."""
        while needed:
            news = membership.news()
            for bundle in [one for one in needed if patch.pack.has(1 + one)]:
                made = await self._apply(partial(patch.apply, bundle), work)
                if made is None:
                    self._lost(patch, membership, 1 + bundle)
                else:
                    made = replace(made, refused=made.refused & needed.pop(bundle))
                    work.hope_for(_union(needed))
                    self._take_note(made, patch.pack.manifest.lengths[1 + bundle], work)
            if needed:
                await news.wait()

    async def _apply(self, apply: Callable[[], Result], work: Work) -> Result:
        """As often as the disk needs to have room for it."""
        while True:
            try:
                made = await self._world.run_blocking(apply)
            except NoSpaceError as error:
                work.problem = str(error)
            except OSError as error:
                work.problem = describe(error)
            else:
                work.problem = ""
                return made
            await trio.sleep(RETRY_S)

    def _take_note(self, made: Made, pack_bytes: int, work: Work) -> None:
        now, lengths = trio.current_time(), work.release.manifest.lengths
        work.fallback.progress(now)
        work.fallback.patched(made.written)
        self.counts.pack_bytes += pack_bytes
        self.counts.patched_bytes += sum(lengths[piece] for piece in bits.iterate(made.written))
        self.counts.refused_pieces += made.refused.bit_count()
        if made.refused:
            work.because = f"{made.refused.bit_count()} or more pieces can't be made from the pack ({made.why})"
        for piece in bits.iterate(made.written):
            work.membership.brain.stored(piece, now)
        self._grant(work)


def _union(sets: dict[int, int]) -> int:
    found = 0
    for one in sets.values():
        found |= one
    return found
