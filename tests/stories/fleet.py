"""A fleet builder: trackers, a seeder, hosts and a publisher, with one line for each thing that happens to them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import trio

from manifests.blobs import BlobStore
from p2pd.announcer import Announcer
from p2pd.config import Config, ServiceConfig
from p2pd.wire.announce import Register, SwarmStatus
from p2pd.wire.messages import PROTOCOL_VERSION
from tests.fakes.disk import MemoryDisk
from tests.fakes.network import MemoryNetwork
from tests.stories.publisher import Files, Publishing, Release, make_files
from tests.stories.services import CURRENT, Host, SeederService, TrackerService
from tracker.client import connect

GLOBAL, REGION, SEEDER = "global", "eu", "seeder"
LOOK_S = 0.02


class Fleet:
    """One region. `open` starts its trackers and its seeder; hosts are started by name or number."""

    def __init__(self, nursery: trio.Nursery, directory: Path) -> None:
        self.network = MemoryNetwork()
        self.store = BlobStore("memory:///")
        self.publishing = Publishing(directory / "published", self.store)
        self.nursery = nursery
        self._directory = directory
        self._hosts: list[Host] = []
        self.globally = TrackerService(self.network, GLOBAL, nursery, str(directory / "global.sqlite"))
        self.region = TrackerService(self.network, REGION, nursery, str(directory / "eu.sqlite"), f"{GLOBAL}:1")
        self.seeder = SeederService(self.network, SEEDER, nursery, self.store, tracker=(f"{REGION}:1",), region=REGION)

    async def open(self) -> None:
        """Both trackers and the seeder run."""
        for service in (self.globally, self.region, self.seeder):
            await service.start()

    def publish(self, name: str, files: Files | None = None, **options: Any) -> Release:
        """A signed release; its files are random unless given."""
        return self.publishing.publish(name, make_files() if files is None else files, **options)

    def host(self, name: str, disk: MemoryDisk | None = None, **settings: Any) -> Host:
        """A machine, switched off. Its state directory exists twice: on its disk, and here for the trust metadata."""
        values: dict[str, Any] = {
            "node": name,
            "region": REGION,
            "listen": f"{name}:0",
            "state_directory": str(self._directory / name),
            "data_directory": "/srv",
            "trust_root": "/etc/root.json",
            "control_socket": "/run/p2pd.sock",
            "trackers": (f"{REGION}:1",),
            "services": {"shop": ServiceConfig()},
        }
        made = Host(self.network, self.nursery, Config(**values | settings), self.publishing.root, disk)
        self._hosts.append(made)
        return made

    async def hosts(self, count: int, **settings: Any) -> list[Host]:
        """So many running machines."""
        made = [self.host(f"host-{number}", **settings) for number in range(count)]
        for one in made:
            await one.start()
        return made

    async def deploy(self, release: str, service: str = "shop", **options: Any) -> dict[str, Any]:
        """The operator's command; `trio.current_time()` is afterwards that of the answer."""
        async with connect(self.network.host("desk"), f"{GLOBAL}:1", by="alice") as operator:
            return await operator.deploy(service, release, **options)

    async def rollback(self, service: str = "shop", **options: Any) -> dict[str, Any]:
        """The operator's other command."""
        async with connect(self.network.host("desk"), f"{GLOBAL}:1", by="alice") as operator:
            return await operator.rollback(service, **options)

    async def status(self) -> dict[str, Any]:
        """What the operator sees."""
        async with connect(self.network.host("desk"), f"{GLOBAL}:1", by="alice") as operator:
            return await operator.status(hosts=True)

    async def claim(self, release: Release, *names: str) -> None:
        """So many nodes tell the region's tracker that they have all of the release, at `NAME:7`."""
        whole = SwarmStatus(release.digest, release.manifest.pieces, release.manifest.pieces)
        for name in names:
            register = Register(PROTOCOL_VERSION, "default", name, REGION, "daemon", f"{name}:7")
            announcer = Announcer(self.network.host(name), (f"{REGION}:1",), register, Random(name), lambda heard: None)
            announcer.update([whole])
            self.nursery.start_soon(announcer.run)
        await trio.sleep(1)

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait for it; an AssertionError that says how all hosts stand when it does not come in time."""
        with trio.move_on_after(within_s):
            while not condition():
                await trio.sleep(LOOK_S)
            return
        raise AssertionError(f"not within {within_s:g} s: " + "; ".join(map(repr, self._hosts)))

    async def until_running(self, release: str, hosts: Iterable[Host], within_s: float = 60.0) -> None:
        """All these hosts run it and are content."""
        hosts = list(hosts)
        await self.until(lambda: all(host.runs(release) for host in hosts), within_s)


def visible(host: Host, service: str = "shop") -> Files:
    """The files behind `current`."""
    return host.files(CURRENT.replace("shop", service))
