"""Real trackers and real announcers on a network in memory, under a virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import trio
import trio.testing

from p2pd.announcer import Announcer, Heard
from p2pd.tracker_stream import TrackerStream
from p2pd.wire.announce import Goals, Handout, Register, Seeders
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import memory_world
from tracker.ca.local import LocalAuthority
from tracker.client import Operator, connect
from tracker.config import TrackerConfig
from tracker.service import run
from tracker.store import Store

from .nodes import register

GLOBAL_ADDRESS, EU_ADDRESS = "global:1", "eu:1"


class Service:
    """One tracker that can be stopped and started again on the same store."""

    def __init__(
        self,
        network: MemoryNetwork,
        host: str,
        nursery: trio.Nursery,
        path: str,
        authority: LocalAuthority | None = None,
        **settings: Any,
    ) -> None:
        self._authority = authority
        defaults: dict[str, Any] = {"listen": f"{host}:1", "fleet": "f", "open_operators": True}
        self.config = TrackerConfig(**(defaults | settings))
        self.host = host
        self.path = path
        self.network = network
        self._nursery = nursery
        self._scope = trio.CancelScope()

    async def start(self) -> None:
        """Returns when it listens."""
        await self._nursery.start(self._run)

    async def stop(self) -> None:
        """Returns when it is gone."""
        self._scope.cancel()
        await trio.testing.wait_all_tasks_blocked()

    async def _run(self, *, task_status: trio.TaskStatus[str]) -> None:
        world = memory_world(self.network.host(self.host))
        with trio.CancelScope() as self._scope:
            await run(self.config, world, Store(self.path), authority=self._authority, task_status=task_status)


class Node:
    """A host: its announcer, and what it heard, with the time of each."""

    def __init__(
        self, network: MemoryNetwork, name: str, *addresses: str, region: str = "eu", role: str = "daemon"
    ) -> None:
        self.name = name
        self.heard: list[tuple[float, Heard]] = []
        host = network.host(name)
        self.announcer = Announcer(host, addresses, register(name, region, role), Random(name), self._hear)

    def _hear(self, message: Heard) -> None:
        self.heard.append((trio.current_time(), message))

    @property
    def peers(self) -> set[str]:
        """Those of the newest handout."""
        handouts = [message for _, message in self.heard if isinstance(message, Handout)]
        return {peer.node for peer in handouts[-1].peers} if handouts else set()

    @property
    def seeders(self) -> list[str]:
        """Those last heard of."""
        found = [message for _, message in self.heard if isinstance(message, Seeders)]
        return [peer.node for peer in found[-1].seeders] if found else []

    @property
    def releases(self) -> list[str]:
        """Of the goals heard of, in order, repetitions left out."""
        goals = [goal for _, message in self.heard if isinstance(message, Goals) for goal in message.goals]
        return list(dict.fromkeys(goal.release for goal in goals))

    def heard_at(self, release: str) -> float:
        """When it first heard of a goal with this release."""
        return next(
            at for at, message in self.heard if isinstance(message, Goals)
            if any(goal.release == release for goal in message.goals)
        )  # fmt: skip


class Fleet:
    """A network, and what the test starts on it."""

    def __init__(self, nursery: trio.Nursery, directory: str) -> None:
        self.network = MemoryNetwork()
        self._nursery = nursery
        self._directory = directory

    async def tracker(self, **settings: Any) -> Service:
        """The global tracker, at `global:1`."""
        service = Service(self.network, "global", self._nursery, f"{self._directory}/global.sqlite", **settings)
        await service.start()
        return service

    async def region(self, name: str = "eu", **settings: Any) -> Service:
        """A regional one, at `NAME:1`."""
        settings = {"region": name, "upstream": GLOBAL_ADDRESS} | settings
        service = Service(self.network, name, self._nursery, f"{self._directory}/{name}.sqlite", **settings)
        await service.start()
        return service

    def node(self, name: str, *addresses: str, region: str = "eu", role: str = "daemon") -> Node:
        """A host whose announcer runs."""
        made = Node(self.network, name, *(addresses or (GLOBAL_ADDRESS,)), region=region, role=role)
        self._nursery.start_soon(made.announcer.run)
        return made

    @asynccontextmanager
    async def operator(self, address: str = GLOBAL_ADDRESS) -> AsyncIterator[Operator]:
        """An operator's connection."""
        async with connect(self.network.host("desk"), address, by="alice") as operator:
            yield operator

    async def deploy(self, release: str, **options: Any) -> dict[str, Any]:
        """One command on a connection of its own."""
        async with self.operator() as operator:
            return await operator.deploy("web", release, **options)

    async def stream(self, greeting: Register | None, address: str = GLOBAL_ADDRESS) -> TrackerStream:
        """A raw connection that has said this."""
        stream = TrackerStream(await self.network.host(greeting.node if greeting else "x").dial(address))
        if greeting is not None:
            await stream.send(greeting)
        return stream
