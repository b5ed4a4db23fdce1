"""All services of this host: one keeper each, and what belongs to all of them: reports, and room on the disk."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, Final

import trio

from p2pd.announcer import Announcer
from p2pd.attestation import Attestor
from p2pd.attestation.witness import Witness
from p2pd.config import Config, ServiceConfig
from p2pd.downloads import Downloads
from p2pd.install import Hold, Installer, Keeper, Lifecycle, ServiceStatus, State
from p2pd.install.keeper import load_memory
from p2pd.judge import Judge
from p2pd.origin import OriginError
from p2pd.policy.places import region_of
from p2pd.policy.retention import Kept, choose_removals
from p2pd.resolver import Resolver
from p2pd.room import Room
from p2pd.store import Artifact, Store
from p2pd.wire.announce import GLOBAL, TEXT_CHARS_MAX, Goal, Goals, Paused, ServiceReport
from p2pd.world import World

REPORT_S: Final = 1.0
"""Progress of a running download is reported this often."""
PAUSE_ENDS_S: Final = 60.0
"""A regional tracker that has not heard the global one for so long may not know of a pause: it can't end one."""


class Updates:
    """Follows the goals of the services of this host."""

    def __init__(
        self,
        config: Config,
        world: World,
        store: Store,
        downloads: Downloads,
        resolver: Resolver,
        announcer: Announcer,
        node: str,
        attestor: Attestor | None = None,
    ) -> None:
        self._config, self._world, self._store = config, world, store
        self._downloads, self._resolver = downloads, resolver
        self._announcer, self._node = announcer, node
        self._statuses: dict[str, ServiceStatus] = {}
        self._verified = trio.Event()
        self._keepers: dict[str, Keeper] = {}
        self._attestor = attestor
        self.room = Room(config, world, store, downloads, self.in_use)
        downloads.make_room = downloads.patching.make_room = self.room.make
        self.witness = Witness(
            world,
            attestor,
            fleet=config.fleet,
            node=node,
            services=config.services,
            tell=announcer.write,
            changed=self._tell,
        )
        self._judge = Judge(
            world,
            resolver.authority,
            fleet=config.fleet,
            region=region_of(config.region),
            accept=self._accept,
            changed=self._tell,
        )

    async def _keeper(self, service: str, settings: ServiceConfig) -> Keeper:
        directory = self._config.service_directory(service)
        installer = Installer(
            self._world, service, directory, restart=settings.restart, restart_timeout_s=settings.restart_timeout_s
        )
        memory_path = os.path.join(self._config.state_directory, "services", f"{service}.json")
        remembered = await self._world.run_blocking(load_memory, self._world, memory_path)
        product = self._config.product(service)
        floor, raise_floor = None, None
        if (attestor := self._attestor) is not None:
            found = await self._world.run_blocking(attestor.floor, product)
            floor, raise_floor = -1 if found is None else found, partial(attestor.raise_floor, product)
        return Keeper(
            self._world,
            Lifecycle(service, product, rng=self._world.rng, remembered=remembered, floor=floor),
            installer,
            memory_path,
            resolve=self._resolver.resolve,
            fetch=self._downloads.fetch,
            report=self._on_status,
            unreachable=(OriginError,),
            raise_floor=raise_floor,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep every service until cancelled; started when what was remembered of each is loaded."""
        await self.room.recall()
        for service, settings in sorted(self._config.services.items()):
            self._keepers[service] = await self._keeper(service, settings)
        async with trio.open_nursery() as nursery:  # only now is it known what is in use
            for keeper in self._keepers.values():
                nursery.start_soon(keeper.run)
            nursery.start_soon(self._judge.run)
            nursery.start_soon(self._report_progress)
            nursery.start_soon(self._collect_when_verified)
            task_status.started()

    def on_goals(self, message: Goals) -> None:
        """The goals in force and all that is paused, as the tracker says. A pause needs no signature: whoever could
        forge one could as well say nothing."""
        for service, keeper in self._keepers.items():
            hold = _hold(service, region_of(self._config.region), message.paused)
            if hold is not None or message.upstream_age_s < PAUSE_ENDS_S:
                keeper.hold(hold)
        self.witness.on_goals(message.goals)
        for goal in message.goals:
            if goal.service in self._keepers:
                self._judge.hear(goal)

    def _accept(self, goal: Goal, vouching: frozenset[str], trusted: frozenset[str] | None) -> None:
        left_s = goal.due - self._world.utc_now() if goal.due else inf
        self._downloads.finish_by(goal.release, trio.current_time() + left_s)
        self._keepers[goal.service].goal(goal, vouching, trusted)

    # -- telling ------------------------------------------------------------------------------------------------

    def status(self) -> list[dict[str, Any]]:
        """Each service, for `p2pd status`."""
        return [
            {
                "service": status.service,
                "state": status.state,
                "goal_release": status.goal_release,
                "goal_revision": status.goal_revision,
                "running_release": status.running_release,
                "progress": self._progress(status),
                "waits_for": self._waits_for(status),
                "error": status.error,
            }
            for status in map(self._with_standing, self._statuses.values())
        ]

    def _with_standing(self, status: ServiceStatus) -> ServiceStatus:
        """What a goal that is not followed adds to what the lifecycle says."""
        standing, withheld = self._judge.standing.get(status.service), self.witness.withheld.get(status.service)
        if withheld is not None:
            status = replace(status, waits_for=withheld[:TEXT_CHARS_MAX])
        if standing is None:
            return status
        return replace(
            status,
            state=State.REFUSED if standing.refused else State.CHECKING,
            goal_release=standing.goal.release,
            goal_revision=standing.goal.revision,
            waits_for=standing.reason[:TEXT_CHARS_MAX],
            error=standing.reason[:TEXT_CHARS_MAX] if standing.refused else "",
        )

    def _tell(self, service: str) -> None:
        if service in self._statuses:
            self._report(self._statuses[service])

    def _on_status(self, status: ServiceStatus) -> None:
        self._statuses[status.service] = status
        self._report(status)
        if status.state == "VERIFIED":
            self._verified.set()

    def _report(self, status: ServiceStatus) -> None:
        status = self._with_standing(status)
        artifact = self._artifact(status.goal_release)
        self._announcer.report(
            ServiceReport(
                node=self._node,
                region=region_of(self._config.region),
                service=status.service,
                goal_release=status.goal_release,
                goal_revision=status.goal_revision,
                running_release=status.running_release,
                state=status.state,
                progress=self._progress(status),
                waits_for=self._waits_for(status),
                error=status.error,
                bytes_by_source=dict(artifact.bytes_by_source) if artifact else {},
                at=self._world.utc_now(),
            )
        )

    async def _report_progress(self) -> None:
        while True:
            await trio.sleep(REPORT_S)
            for status in self._statuses.values():
                if status.state == "DOWNLOADING":
                    self._report(status)

    def _artifact(self, release: str) -> Artifact | None:
        found = (one for one in self._store.artifacts.values() if one.manifest.release == release)
        return next(found, None)

    def _progress(self, status: ServiceStatus) -> float:
        artifact = self._artifact(status.goal_release)
        if artifact is None or not artifact.manifest.size:
            return 0.0
        return artifact.present_bytes / artifact.manifest.size

    def _waits_for(self, status: ServiceStatus) -> str:
        return status.waits_for or self._downloads.waits_for(status.goal_release)

    # -- room ---------------------------------------------------------------------------------------------------

    def in_use(self) -> dict[bytes, str]:
        """Swarms of the releases that may not be deleted, and why."""
        used = dict.fromkeys(self._downloads.active, "being fetched")
        for service, keeper in self._keepers.items():
            memory = keeper.lifecycle.memory
            for candidate, why in (
                (memory.previous, f"to go back to ({service})"),
                (memory.target, f"next ({service})"),
                (memory.running, f"runs ({service})"),
            ):
                if candidate is not None and candidate.swarm:
                    used[bytes.fromhex(candidate.swarm)] = why
        return used

    async def _collect_when_verified(self) -> None:
        """A release that proved itself makes an older one superfluous."""
        while True:
            await self._verified.wait()
            self._verified = trio.Event()
            await self.room.note_use()
            await self.collect_garbage()

    async def collect_garbage(self, *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Delete what the rule lets go; what went, or would."""
        in_use, removed = self.in_use(), []
        for service, settings in self._config.services.items():
            below = self._config.service_directory(service) + os.sep
            kept = [_kept(one) for one in self._store.artifacts.values() if one.destination.startswith(below)]
            for one in choose_removals(kept, in_use=in_use, keep=settings.keep_releases, pinned=settings.pinned):
                artifact = self._store.artifacts.get(one.key)
                if artifact is None or one.key in self.in_use():  # while others were deleted
                    continue
                removed.append({"release": artifact.manifest.release, "bytes": artifact.present_bytes})
                if not dry_run:
                    await self._downloads.remove(one.key)
        return removed


def _hold(service: str, region: str, paused: Sequence[Paused]) -> Hold | None:
    """What the newest of the pauses that concern a service here means for it."""
    ours = (one for one in paused if one.service in ("", service) and one.scope in (GLOBAL, region))
    newest = max(ours, key=lambda one: one.revision, default=None)
    if newest is None:
        return None
    what = "all services" if not newest.service else service
    why = f"{what} paused {'everywhere' if newest.scope == GLOBAL else 'in ' + newest.scope}"
    why += f" by {newest.by}" if newest.by else ""
    return Hold(newest.revision, f"{why}: {newest.reason}" if newest.reason else why)


def _kept(artifact: Artifact) -> Kept:
    manifest = artifact.manifest
    return Kept(artifact.swarm, manifest.product, manifest.version, manifest.sequence, artifact.finished)
