"""A host whose tracker and mirror are the attacker's, and a publisher who is honest and far away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio

from manifests.blobs import BlobStore
from manifests.trust import TrustChain
from manifests.tuf_api import CryptoSigner
from p2pd.config import Config, ServiceConfig
from p2pd.goals import sign_as_director, sign_as_operator
from p2pd.httpmessages import Request, Response
from p2pd.httpserver import HttpServer
from p2pd.tracker_stream import TrackerStream
from p2pd.wire.announce import Announce, Goal, Goals, Renewed, Seeders, SeedersRequest, Watch
from p2pd.world.network import Stream
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import EPOCH
from tests.manifests.factory import new_signer
from tests.stories.publisher import Files, Publishing, Release, make_files
from tests.stories.services import Host

DAY_S = 86_400.0
LOOK_S = 0.05
REGION = "eu"
Raw = Callable[[Stream], Awaitable[None]]


class LyingTracker:
    """Speaks the protocol, and says whatever goals it was given, to whoever asks."""

    def __init__(self) -> None:
        self._goals: tuple[Goal, ...] = ()
        self._streams: set[TrackerStream] = set()

    async def serve(self, stream: Stream) -> None:
        """One connection."""
        talk = TrackerStream(stream)
        self._streams.add(talk)
        try:
            while True:
                message = await talk.receive()
                if isinstance(message, Watch):
                    await talk.send(self._message())
                elif isinstance(message, SeedersRequest):
                    await talk.send(Seeders(()))
                elif isinstance(message, Announce):
                    await talk.send(Renewed(5.0))
        except OSError:
            self._streams.discard(talk)

    async def say(self, *goals: Goal) -> None:
        """These and no others, from now on and at once."""
        self._goals = goals
        for talk in self._streams:
            await talk.send(self._message())

    def _message(self) -> Goals:
        return Goals(max((goal.revision for goal in self._goals), default=0), self._goals)


class Mirror:
    """An HTTP origin. `files` by path; `raw`: behaviours that take the connection itself, by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.raw: dict[str, Raw] = {}
        self.asked: list[str] = []

    def copy(self, store: BlobStore) -> None:
        """Serve what the store has now, and go on serving that."""
        self.files = {path: store.get(path) for path in store.list("")}

    async def answer(self, request: Request) -> Response:
        """What lies there."""
        path = request.path.lstrip("/")
        self.asked.append(path)
        data = self.files.get(path)
        return Response(404, {}, b"") if data is None else Response(200, {}, data)


class Siege:
    """`publishing` is honest; `tracker` and `mirror` are not; `second` is a mirror that may be honest."""

    def __init__(self, nursery: trio.Nursery, directory: Path) -> None:
        self.nursery = nursery
        self.network = MemoryNetwork()
        self.directory = directory
        self.store = BlobStore("memory:///")
        self.publishing = Publishing(directory / "published", self.store)
        self.tracker, self.mirror, self.second = LyingTracker(), Mirror(), Mirror()
        self.director, self.operator = new_signer(), new_signer()
        self.fleet = "default"
        self._revision = 0

    async def open(self) -> None:
        """Everybody listens."""
        listener = await self.network.host("liar").listen("liar:1")
        self.nursery.start_soon(_accept, listener, self.tracker.serve)
        for name, mirror in (("mirror", self.mirror), ("second", self.second)):
            server = HttpServer(utc_now=lambda: EPOCH)
            self.nursery.start_soon(server.serve, await self.network.host(name).listen(f"{name}:80"), mirror.answer)

    def publish(self, name: str, files: Files | None = None, **options: Any) -> Release:
        """An honest release; the mirror has it."""
        made = self.publishing.publish(name, make_files(files=2) if files is None else files, **options)
        self.mirror.copy(self.store)
        return made

    def refresh_mirror(self) -> None:
        """The mirror serves what the honest publisher has now."""
        self.mirror.copy(self.store)

    def direct(self) -> None:
        """This fleet has a director and an operator."""
        publisher = self.publishing.publisher
        publisher.repository.set_authority(
            [self.director.public_key], [self.operator.public_key], publisher.keys["targets"]
        )
        publisher.promote()
        self.mirror.copy(self.store)

    async def host(self, name: str = "host", **settings: Any) -> Host:
        """A running machine."""
        values: dict[str, Any] = {
            "node": name,
            "region": REGION,
            "listen": f"{name}:0",
            "state_directory": str(self.directory / name),
            "data_directory": "/srv",
            "trust_root": "/etc/root.json",
            "control_socket": "/run/p2pd.sock",
            "trackers": ("liar:1",),
            "origins": ("http://mirror:80",),
            "services": {"shop": ServiceConfig()},
        }
        made = Host(self.network, self.nursery, Config(**values | settings), self.publishing.root, None)
        await made.start()
        return made

    def goal(self, release: str, revision: int | None = None, **changes: Any) -> Goal:
        """An unsigned goal."""
        self._revision = self._revision + 1 if revision is None else revision
        goal = Goal("shop", "global", release, self._revision, at=EPOCH)
        return msgspec.structs.replace(goal, **changes)

    def signed(
        self, goal: Goal, *, director: CryptoSigner | None = None, operator: CryptoSigner | None = None,
        life_s: float = DAY_S, fleet: str = "",
    ) -> Goal:  # fmt: skip
        """By the director until `life_s` from now, and by an operator if one is given."""
        if operator is not None:
            goal = sign_as_operator(fleet or self.fleet, goal, operator)
        expires = EPOCH + trio.current_time() + life_s
        return sign_as_director(fleet or self.fleet, goal, director or self.director, expires)

    async def until(self, condition: Callable[[], bool], host: Host, within_s: float = 60.0) -> None:
        """Wait for it; an AssertionError that says how the host stands when it does not come in time."""
        with trio.move_on_after(within_s):
            while not condition():
                await trio.sleep(LOOK_S)
            return
        raise AssertionError(f"not within {within_s:g} s: {host!r}")

    async def refused(self, host: Host, *goals: Goal, within_s: float = 60.0) -> str:
        """Told these goals, the host refuses; its reason."""
        await self.tracker.say(*goals)
        await self.until(lambda: host.state() == "REFUSED", host, within_s)
        return str(host.service()["error"])

    async def runs(self, host: Host, release: str, *goals: Goal, within_s: float = 60.0) -> None:
        """Told these goals, the host runs the release."""
        if goals:
            await self.tracker.say(*goals)
        await self.until(lambda: host.runs(release), host, within_s)

    def chain(self, name: str) -> TrustChain:
        """The trust code of a host of this name, by itself."""
        return TrustChain(self.publishing.root, self.directory / name / "trust", lambda: EPOCH + trio.current_time())


def nothing_visible(host: Host) -> bool:
    """No release was ever switched to."""
    return host.disk.stat("/srv/shop/current") is None


async def _accept(listener: Any, serve: Raw) -> None:
    async with trio.open_nursery() as nursery:
        while True:
            nursery.start_soon(serve, await listener.accept())


@asynccontextmanager
async def open_siege(directory: Path) -> AsyncIterator[Siege]:
    """Ends with the block."""
    async with trio.open_nursery() as nursery:
        made = Siege(nursery, directory)
        await made.open()
        yield made
        nursery.cancel_scope.cancel()
