"""A fleet: hosts on a simulated network, each running a shipped service as it is.

global tracker <- trackers of the regions <- daemons and seeders; an operator gives commands to the global one.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final

import trio

from manifests.errors import NoSuchBlobError, StoreError
from p2pd import service as daemon_service
from p2pd.config import Config, ServiceConfig
from p2pd.policy.places import region_of
from p2pd.service import Daemon
from p2pd.world import World
from seeder import service as seeder_service
from seeder.config import SeederConfig
from sim.clock import SimClock
from sim.net import Place, SimNetwork
from sim.trace import Trace
from sim.world import SimHost
from tracker import service as tracker_service
from tracker.config import TrackerConfig
from tracker.store import Store as GoalStore

from .member import Member
from .plan import Access, FleetPlan
from .releases import EPOCH, PRODUCT, Published, publish

FLEET: Final = "sim"
GLOBAL_TRACKER: Final = "tracker-global"
OPERATOR: Final = "operator"
DATA: Final = "/srv"
TRUST_ROOT: Final = "/etc/p2pd/root.json"
MEMORY_FOLDER: Final = "/dev/shm"
"""Where the few real files go (trust metadata, the trackers' goals) if the machine has it: syncing costs nothing."""


class Blobs:
    """The blob store behind the seeders. `away`: it does not answer."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.away = False

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """The object; NoSuchBlobError, StoreError."""
        if self.away:
            raise StoreError("simulated: the store is away")
        try:
            return self.objects[path]
        except KeyError:
            raise NoSuchBlobError(f"no {path}") from None


class Fleet:
    """Made by `fleet_of`. `daemons`, `trackers` and `seeders` by name; `members` are all of them."""

    def __init__(self, plan: FleetPlan, rng_seed: int, folder: str, keep_trace: Any = None) -> None:
        self.plan, self.rng_seed = plan, rng_seed
        self.rng = Random(f"fleet/{rng_seed}")
        self.clock = SimClock(plan.grain_s)
        self.trace = Trace(self.clock, folder, keep_trace)
        self.network = SimNetwork(
            self.clock, Random(f"network/{rng_seed}"), self.trace.heard, plan.quantum_bytes,
            plan.piece_bytes if plan.diluted else 0, plan.dilution,
        )  # fmt: skip
        self.published: Published = publish(plan.releases, plan.pieces, plan.piece_bytes, plan.metadata_life_s)
        self.blobs = Blobs(dict(self.published.blobs))
        self.daemons: dict[str, Member[Daemon]] = {}
        self.trackers: dict[str, Member[str]] = {}
        self.seeders: dict[str, Member[seeder_service.Running]] = {}
        self.region_of: dict[str, str] = {}
        self.place_of: dict[str, str] = {}
        """With zone and rack, where there are any."""
        self._folder = folder
        self._world = Place("world")
        self._regions = {name: _place(name, self._world, plan.backbone) for name in plan.regions}
        self._places: dict[str, Place] = {}
        self.operator = self.network.port(OPERATOR, _place(OPERATOR, self._world, Access()), role="release-manager")
        self._add_trackers()
        self._add_seeders()
        self._add_daemons()

    @property
    def members(self) -> dict[str, Member[Any]]:
        """All hosts with a process."""
        return {**self.trackers, **self.seeders, **self.daemons}

    async def run(self, nursery: trio.Nursery) -> None:
        """Start all of them; they live as long as the nursery."""
        for member in self.members.values():
            nursery.start_soon(member.live)

    def add_outsider(self, nursery: trio.Nursery, name: str, region: str, body: Any) -> None:
        """One more process on a host of its own, which is none of the fleet's."""
        host = self._host(name, self._regions[region], self.plan.daemon, region, "daemon")
        nursery.start_soon(self._member(host, body).live)

    # -- who there is -------------------------------------------------------------------------------------------

    def _add_trackers(self) -> None:
        listen = f"{GLOBAL_TRACKER}:8470"
        self._add_tracker(TrackerConfig(listen, fleet=FLEET), self._world)
        for region, place in self._regions.items():
            config = TrackerConfig(f"tracker-{region}:8470", fleet=FLEET, region=region, upstream=listen)
            self._add_tracker(config, place)

    def _add_tracker(self, config: TrackerConfig, place: Place) -> None:
        host = self._host(config.name, place, Access(), config.region, "tracker")
        config = replace(
            config,
            interval_busy_s=self.plan.announce_s or config.interval_busy_s,
            copies_per_zone_link=self.plan.copies_per_zone_link,
            copies_per_rack_link=self.plan.copies_per_rack_link,
        )
        store = GoalStore(os.path.join(self._folder, config.name, "goals.sqlite"))
        config = replace(config, state_directory=os.path.join(self._folder, config.name))

        async def body(world: World, *, task_status: trio.TaskStatus[Any]) -> None:
            await tracker_service.run(config, world, store, task_status=task_status)

        member: Member[str] = self._member(host, body)
        member.after_death = store.close
        self.trackers[host.name] = member

    def _add_seeders(self) -> None:
        plan = self.plan
        for number in range(plan.seeders):
            region = plan.regions[number % len(plan.regions)]
            place = self._world if plan.seeders_outside else self._regions[region]
            host = self._host(f"seeder-{number + 1}", place, plan.seeder, region, "seeder")
            config = SeederConfig(
                store="memory:///",
                http_listen=f"{host.name}:8480",
                listen="" if plan.http_only else f"{host.name}:8481",
                tracker=self._trackers_of(region),
                node=host.name,
                fleet=FLEET,
                region=region,
                cache_directory="/cache",
            )
            self.seeders[host.name] = self._member(host, partial(seeder_service.run, config, blobs=self.blobs))

    def _add_daemons(self) -> None:
        plan = self.plan
        for number in range(plan.daemons):
            region = plan.regions[number % len(plan.regions)]
            name = f"d{number + 1:03d}"
            where, rack = self._rack(region, number // len(plan.regions))
            nat = number >= plan.daemons - plan.behind_nat
            access = plan.accesses[number] if plan.accesses else plan.daemon
            host = self._host(name, rack, access, where, "daemon", nat=nat)
            host.disk.make_directories(os.path.dirname(TRUST_ROOT))
            host.disk.replace(TRUST_ROOT, self.published.root)
            host.disk.sync_all("/")
            self.daemons[name] = self._member(host, partial(daemon_service.run, self._config(name, where)))

    def _config(self, name: str, where: str) -> Config:
        plan = self.plan
        return Config(
            state_directory=os.path.join(self._folder, name),
            data_directory=DATA,
            node=name,
            region=where,
            fleet=FLEET,
            listen=f"{name}:7000",
            trackers=self._trackers_of(region_of(where)),
            origins=("http://seeder-1:8480",) if plan.cdn else (),
            trust_root=TRUST_ROOT,
            upload_bytes_per_s=plan.upload_bytes_per_s,
            download_bytes_per_s=plan.download_bytes_per_s,
            reserve_bytes=plan.reserve_bytes,
            services={PRODUCT: ServiceConfig(restart=("restart",))},
        )

    def _trackers_of(self, region: str) -> tuple[str, ...]:
        everybodys = f"{GLOBAL_TRACKER}:8470"
        return (everybodys,) if self.plan.one_tracker else (f"tracker-{region}:8470", everybodys)

    def _host(self, name: str, place: Place, access: Access, region: str, role: str, *, nat: bool = False) -> SimHost:
        own = _place(name, place, access, nat=nat)
        port = self.network.port(name, own, region=region, role=role)
        self.region_of[name], self.place_of[name] = region_of(region), region
        return SimHost(name, port, self.clock, rng_seed=str(self.rng_seed), epoch=EPOCH, speed=self.plan.disk)

    def _member(self, host: SimHost, body: Any) -> Member[Any]:
        return Member(host, self.network, self.trace, Random(self.rng.random()), body)

    def _rack(self, region: str, number: int) -> tuple[str, Place]:
        """Of the region's daemon of this number: what its certificate says, and where it is."""
        plan, inside, zone = self.plan, self._regions[region], region
        if plan.zones:
            zone, number = f"{region}/zone-{number % plan.zones + 1}", number // plan.zones
            inside = self._within(zone, inside, plan.zone)
        rack = f"{zone}/rack-{number % plan.racks + 1}"
        return rack if plan.zones else region, self._within(rack, inside, plan.rack)

    def _within(self, name: str, inside: Place, access: Access) -> Place:
        if name not in self._places:
            self._places[name] = _place(name, inside, access)
        return self._places[name]


def _place(name: str, inside: Place, access: Access, *, nat: bool = False) -> Place:
    return Place(name, inside, access.up_bytes_per_s, access.down_bytes_per_s, access.latency_s, nat)


@contextmanager
def fleet_of(plan: FleetPlan, rng_seed: int, keep_trace: Any = None) -> Iterator[Fleet]:
    """A fleet that was not started yet, and a folder for its real files."""
    there = MEMORY_FOLDER if os.path.isdir(MEMORY_FOLDER) else None
    with tempfile.TemporaryDirectory(prefix="p2p-sim-", dir=there) as folder:
        yield Fleet(plan, rng_seed, folder, keep_trace)
