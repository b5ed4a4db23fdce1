"""Keeps one service where its goal says: drives the lifecycle, and does its deeds with what the daemon lends it."""

import os
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import trio

from manifests.errors import ManifestError, UntrustedReleaseError
from manifests.manifest import Manifest
from manifests.names import ReleaseName, parse_release
from manifests.trust import Approved
from p2pd.store import Artifact, StoreError
from p2pd.wire.announce import Goal
from p2pd.world import World
from p2pd.world.durable import make_durable_directories

from .actions import CheckHealth, Deed, Download, GoBack, Persist, RaiseFloor, Report, Resolve, ServiceStatus, Switch
from .installer import Installer, release_directory
from .lifecycle import Lifecycle
from .memory import MEMORY_BYTES_MAX, Health, Hold, Memory, decode, encode

PERSIST_RETRY_S: Final = 5.0
"""A disk that is full, or read-only for a while, holds up the service's life and not the daemon."""


class DamagedMemoryError(Exception):
    """A service's memory is not as it was written. The machine's: a person has to look, nobody guesses."""


class Keeper:
    """The body of one service.

    `resolve` looks a release up (ManifestError: it is not trusted). `fetch` brings what was approved to an absolute
    path (ManifestError; StoreError or OSError: this machine can't). Errors in `unreachable` mean: try again later.
    `raise_floor` blocks until the machine remembers a sequence beyond its disk (OSError), None where it can't.
    `report` is called with every change. `memory_path`: where the lifecycle's memory is kept.
    """

    def __init__(
        self,
        world: World,
        lifecycle: Lifecycle,
        installer: Installer,
        memory_path: str,
        *,
        resolve: Callable[[ReleaseName], Awaitable[Approved]],
        fetch: Callable[[Approved, str], Awaitable[Artifact]],
        report: Callable[[ServiceStatus], None],
        unreachable: tuple[type[Exception], ...],
        raise_floor: Callable[[int], None] | None = None,
    ) -> None:
        self.lifecycle = lifecycle
        self._world = world
        self._installer = installer
        self._memory_path = memory_path
        self._resolve, self._fetch, self._report = resolve, fetch, report
        self._unreachable = unreachable
        self._raise_floor = raise_floor
        self._approved: Approved | None = None
        self._woken = trio.Event()
        self._deed_scope: trio.CancelScope | None = None
        self._deed_ended = trio.Event()

    def goal(self, goal: Goal, vouching: Collection[str] = (), trusted: Collection[str] | None = None) -> bool:
        """The goal in force, as it was judged; False if it is nothing new. As `Lifecycle.goal`."""
        taken = self.lifecycle.goal(goal, vouching, trusted)
        self._woken.set()
        return taken

    def hold(self, hold: Hold | None) -> None:
        """As `Lifecycle.hold`."""
        self.lifecycle.hold(hold)
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. The interrupted deed is done again by the next run."""
        self.lifecycle.start(await self._installer.current())
        async with trio.open_nursery() as nursery:
            while True:
                action = self.lifecycle.next_action()
                if isinstance(action, Persist):
                    await self._persist(action.memory)
                elif isinstance(action, Report):
                    self._report(action.status)
                elif action is not None:
                    await self._stop_deed()
                    self._deed_scope, self._deed_ended = trio.CancelScope(), trio.Event()
                    nursery.start_soon(self._do, action, self._deed_scope, self._deed_ended)
                else:
                    if not self.lifecycle.at_work:
                        await self._stop_deed()
                    await self._sleep()

    async def _sleep(self) -> None:
        with trio.move_on_at(self.lifecycle.next_timer()):
            await self._woken.wait()
        self._woken = trio.Event()
        self.lifecycle.handle_timer(trio.current_time())

    async def _stop_deed(self) -> None:
        """A newer goal made it pointless."""
        if self._deed_scope is not None:
            self._deed_scope.cancel()
            await self._deed_ended.wait()
            self._deed_scope = None

    async def _persist(self, memory: Memory) -> None:
        while True:
            try:
                await self._world.run_blocking(self._write_memory, encode(memory))
            except OSError:
                await trio.sleep(PERSIST_RETRY_S)
            else:
                break
        self.lifecycle.persisted(memory)

    def _write_memory(self, data: bytes) -> None:
        make_durable_directories(self._world.disk, os.path.dirname(self._memory_path))
        self._world.disk.replace(self._memory_path, data)

    async def _do(self, deed: Deed, scope: trio.CancelScope, ended: trio.Event) -> None:
        try:
            with scope:
                await self._try(deed)
        finally:
            ended.set()
            self._woken.set()

    async def _try(self, deed: Deed) -> None:
        brain, release = self.lifecycle, _release(deed)
        try:
            await self._deeds(deed)
        except self._unreachable as error:
            brain.unreachable(release, str(error), trio.current_time())
        except ManifestError as error:
            brain.refused(release, str(error), trio.current_time())
        except (StoreError, OSError) as error:
            brain.blocked(release, str(error), trio.current_time())

    async def _deeds(self, deed: Deed) -> None:
        brain = self.lifecycle
        if isinstance(deed, Resolve):
            self._approved = approved = await self._resolve(parse_release(deed.release))
            directory = release_directory(approved.release.version, approved.digest)
            brain.resolved(deed.release, approved.digest.hex(), directory)
        elif isinstance(deed, Download):
            artifact = await self._download(deed)
            brain.downloaded(deed.release, artifact.manifest.sequence, _health(artifact.manifest))
        elif isinstance(deed, Switch):
            await self._installer.switch(deed.target)
            brain.switched()
        elif isinstance(deed, CheckHealth):
            brain.health(*await self._installer.check(deed.target))
        elif isinstance(deed, RaiseFloor):
            await self._remember(deed.sequence)
        else:
            await self._installer.go_back(deed.target)
            brain.went_back()

    async def _remember(self, sequence: int) -> None:
        assert self._raise_floor is not None
        try:
            await self._world.run_blocking(self._raise_floor, sequence)
        except OSError as error:
            self.lifecycle.not_raised(str(error), trio.current_time())
        else:
            self.lifecycle.raised(sequence)

    async def _download(self, deed: Download) -> Artifact:
        approved = self._approved
        if approved is None or approved.digest.hex() != deed.swarm:  # decided by an earlier run: ask again
            approved = await self._resolve(parse_release(deed.release))
            if approved.digest.hex() != deed.swarm:
                raise UntrustedReleaseError(f"{deed.release} is not what was signed under this name before")
        return await self._fetch(approved, os.path.join(self._installer.directory, deed.directory))


def load_memory(world: World, path: str) -> Memory | None:
    """What the last run kept; None if there is nothing. Blocks. DamagedMemoryError."""
    if world.disk.stat(path) is None:
        return None
    try:
        return decode(world.disk.read_all(path, MEMORY_BYTES_MAX))
    except ValueError as error:
        raise DamagedMemoryError(
            f"{path} is damaged ({error}): remove it, and the service begins anew from what `current` points to"
        ) from error


def _release(deed: Deed) -> str:
    if isinstance(deed, Resolve | Download):
        return deed.release
    if isinstance(deed, GoBack):
        return deed.target.release if deed.target else ""
    return "" if isinstance(deed, RaiseFloor) else deed.target.release


def _health(manifest: Manifest) -> Health | None:
    check = manifest.health
    return Health(check.argv, check.timeout_s, check.attempts, check.interval_s) if check else None
