"""The shipped services as things that a story can start, stop, kill and start again."""

from dataclasses import replace
from random import Random
from typing import Any

import trio

import p2pd.service
import seeder.service
import tracker.service
from p2pd.config import Config
from p2pd.service import Daemon
from p2pd.steering import Steering
from p2pd.world.lan import Lan
from p2pd.world.processes import Exit
from p2pd.world.rtc import Rtc
from seeder.config import SeederConfig
from seeder.service import Running
from tests.fakes.disk import MemoryDisk, PowerCut
from tests.fakes.network import MemoryNetwork
from tests.fakes.processes import Ran, ScriptedProcesses
from tests.fakes.world import memory_world
from tests.stories.metering import Metered
from tests.stories.publisher import Files, Release
from tracker.config import TrackerConfig
from tracker.store import Store as TrackerStore

CURRENT = "/srv/shop/current"


class Service:
    """One running service."""

    def __init__(self, network: MemoryNetwork, name: str, nursery: trio.Nursery) -> None:
        self.name = name
        self.network = network
        self.nursery = nursery
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    async def start(self) -> Any:
        """Returns when it says that it has started."""
        return await self.nursery.start(self._live)

    async def stop(self) -> None:
        """Returns when it has ended."""
        self._scope.cancel()
        await self._ended.wait()

    async def ended(self, within_s: float) -> None:
        """Returns when it has ended by itself, or after this time."""
        with trio.move_on_after(within_s):
            await self._ended.wait()

    async def _live(self, *, task_status: trio.TaskStatus[Any]) -> None:
        self._ended = trio.Event()
        try:
            with trio.CancelScope() as self._scope:
                await self.run(task_status)
        except* PowerCut:
            pass
        finally:
            self._ended.set()

    async def run(self, task_status: trio.TaskStatus[Any]) -> None:
        """The service itself."""
        raise NotImplementedError


class TrackerService(Service):
    """At `NAME:1`, its goals in a file."""

    def __init__(self, network: MemoryNetwork, name: str, nursery: trio.Nursery, path: str, upstream: str = "") -> None:
        super().__init__(network, name, nursery)
        region: dict[str, Any] = {"region": name, "upstream": upstream} if upstream else {}
        self.config = TrackerConfig(listen=f"{name}:1", open_operators=True, **region)
        self.path = path

    async def run(self, task_status: trio.TaskStatus[Any]) -> None:
        """Serve."""
        world = memory_world(self.network.host(self.name))
        await tracker.service.run(self.config, world, TrackerStore(self.path), task_status=task_status)


class SeederService(Service):
    """In front of `blobs`. `sent_bytes`: content that left it through all doors."""

    def __init__(self, network: MemoryNetwork, name: str, nursery: trio.Nursery, blobs: Any, **settings: Any) -> None:
        super().__init__(network, name, nursery)
        self.blobs = blobs
        values: dict[str, Any] = {"store": "memory", "http_listen": f"{name}:80", "listen": f"{name}:7"}
        self.config = SeederConfig(**values | settings)
        self.running: Running | None = None

    async def start(self) -> Any:
        """Returns when it serves."""
        self.running = await super().start()
        return self.running

    async def run(self, task_status: trio.TaskStatus[Any]) -> None:
        """Serve."""
        world = memory_world(self.network.host(self.name), 99, disk=MemoryDisk())
        await seeder.service.run(self.config, world, self.blobs, task_status=task_status)

    @property
    def sent_bytes(self) -> int:
        """Since it was started."""
        assert self.running is not None
        samples = self.running.shield.samples()
        return int(sum(one.value for one in samples if one.name == "seeder_served_bytes_total"))


class Host(Service):
    """A machine with a daemon. Its disk and its clock's error outlive the daemon."""

    def __init__(
        self, network: MemoryNetwork, nursery: trio.Nursery, config: Config, root: bytes, disk: MemoryDisk | None
    ) -> None:
        super().__init__(network, config.node, nursery)
        self.config = config
        self.disk = disk or MemoryDisk()
        self.unhealthy: set[str] = set()
        """Releases whose health check says no."""
        self.processes = ScriptedProcesses(self._answer)
        self.skew_s = 0.0
        self.meter = Metered(network.host(self.name))
        self.lan: Lan | None = None
        self.rtc: Rtc | None = None
        self.daemon: Daemon | None = None
        self._starts = 0
        self.disk.make_directories("/etc")
        self.disk.replace(config.trust_root, root)

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.daemon.updates.status() if self.daemon else 'never started'}>"

    def _answer(self, ran: Ran) -> Exit:
        bad = ran.environment["P2P_RELEASE"] in self.unhealthy
        return Exit(1, "it does not answer on its port") if bad else Exit(0, "")

    async def start(self) -> Any:
        """Returns when the daemon runs."""
        self._starts += 1
        self.daemon = await super().start()
        return self.daemon

    async def run(self, task_status: trio.TaskStatus[Any]) -> None:
        """The daemon."""
        seed = sum(self.name.encode()) + self._starts
        world = memory_world(
            self.meter,
            seed,
            disk=self.disk,
            processes=self.processes,
            skew_s=lambda: self.skew_s,
            lan=self.lan,
            rtc=self.rtc,
        )
        await p2pd.service.run(self.config, world, task_status=task_status)

    async def kill(self) -> None:
        """kill -9: not one more step on its disk; what it wrote is there."""
        await self._cut_off()
        self.disk.restore_power()
        self.disk.kill()

    async def crash(self, rng: Random | None = None) -> None:
        """The power goes: what was not synced is gone, or a random part of it."""
        await self._cut_off()
        self.disk.crash(rng)

    async def _cut_off(self) -> None:
        self.disk.power_cut_after(0)
        self.network.drop(self.name)
        await self.stop()

    def configure(self, **changes: Any) -> None:
        """Settings that count from the next start on."""
        self.config = replace(self.config, **changes)

    # what a story looks at

    async def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """A command of the control socket."""
        assert self.daemon is not None
        return await Steering(self.daemon).commands()[command](request)

    def service(self, name: str = "shop") -> dict[str, Any]:
        """The service as in `p2pd status`; empty until the lifecycle has said anything."""
        assert self.daemon is not None
        return next((one for one in self.daemon.updates.status() if one["service"] == name), {})

    def runs(self, release: str, service: str = "shop") -> bool:
        """Verified, by its own account."""
        status = self.service(service)
        return (status.get("running_release"), status.get("state")) == (release, "VERIFIED")

    def state(self, service: str = "shop") -> str:
        """The lifecycle's."""
        return str(self.service(service).get("state", ""))

    def present_bytes(self, release: Release) -> int:
        """Verified bytes of a release."""
        assert self.daemon is not None
        artifact = self.daemon.store.artifacts.get(release.digest)
        return artifact.present_bytes if artifact else 0

    def pieces(self, release: Release) -> int:
        """The set of pieces that it holds and shares."""
        assert self.daemon is not None
        membership = self.daemon.exchange.memberships.get(release.digest)
        return membership.brain.present if membership else 0

    def files(self, path: str) -> Files:
        """All files below a path of its disk."""
        found = self.disk.stat(path)
        if found is not None and found.kind == "symlink":
            return self.files(f"{path.rpartition('/')[0]}/{self.disk.read_link(path)}")
        contents: Files = {}
        for name in self.disk.list_directory(path):
            below = f"{path}/{name}"
            kind = self.disk.stat(below)
            if kind is not None and kind.kind == "directory":
                contents |= {f"{name}/{inner}": data for inner, data in self.files(below).items()}
            else:
                contents[name] = self.disk.read_all(below, 1 << 30)
        return contents

    def releases(self, service: str = "shop") -> list[str]:
        """Names in its releases directory, hidden ones too."""
        return self.disk.list_directory(f"/srv/{service}/releases")
