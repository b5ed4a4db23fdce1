"""Two trackers, a seeder and the daemons, as processes of their own on loopback."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import trio

from p2pd.wire.announce import GLOBAL

from . import configs
from .authority import Authority
from .board import Board
from .errors import DemoError
from .nodes import ask
from .processes import Child, Children, command
from .publisher import Publisher, program

SENT: Final = re.compile(r"^seeder_served_bytes_total(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
"""Bytes that left the seeder, by any way, in its /metrics."""


@dataclass
class Fleet:
    """Starts and stops the processes and looks at them; what it sees it writes on the board."""

    directory: Path
    names: list[str]
    publisher: Publisher
    children: Children
    board: Board
    http: httpx.AsyncClient
    addresses: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, Path] = field(default_factory=dict)
    _operator: Path = Path()

    async def start(self, progress: Callable[[str], None]) -> None:
        """Everything, from the centre outwards; who is not the centre joins with a token."""
        authority = self._authority
        await authority.prepare()
        central = self.directory / "global-tracker"
        config = configs.global_tracker(central, authority.directory)
        self.addresses["global"] = (await self._tracker(central, config)).ready["listen"]
        self._tokens = {
            "tracker": await authority.token("tracker"),
            "seeder": await authority.token("seeder"),
            "host": await authority.token("host", uses=len(self.names)),
        }
        self._operator = await authority.papers("release-manager", "operator", region=GLOBAL)
        progress("everybody has a join token")
        regional = self.directory / "regional-tracker"
        config = configs.regional_tracker(regional, self.addresses["global"], self._tokens["tracker"])
        tracker = await self._tracker(regional, config)
        self.addresses["tracker"] = tracker.ready["listen"]
        progress("trackers run")
        await self._seeder()
        progress("seeder runs")
        failed: list[Exception] = []
        try:
            async with trio.open_nursery() as nursery:
                for name in self.names:
                    nursery.start_soon(self.start_daemon, name)
        except* DemoError as errors:
            failed.extend(errors.exceptions)
        if failed:  # raised in `except*` it would be in a group again: in Python 3.11.2, not in 3.11.7
            raise DemoError(str(failed[0]))
        progress("daemons run")
        await self.look()

    @property
    def _authority(self) -> Authority:
        return Authority(self.directory / "ca", self.publisher.words, self.publisher.environment)

    async def start_daemon(self, name: str) -> None:
        """One host, from whatever is on its disk."""
        home = self.directory / name
        token = self._tokens["host"]
        config = configs.daemon(home, name, self.addresses["tracker"], self.publisher.trust_root, token)
        await self._serve(name, home, [program("p2pd"), "run"], config)

    async def kill(self, name: str) -> None:
        """kill -9."""
        await self.children.kill(name)

    async def deploy(self, release: str) -> None:
        """One command, to all regions."""
        await self._operate("deploy", configs.SERVICE, release)

    async def roll_back(self, release: str) -> None:
        """One command, back to an older release."""
        await self._operate("rollback", configs.SERVICE, "--to", release)

    async def look(self) -> None:
        """See how everybody does; DemoError when a process has died by itself."""
        self.children.check()
        async with trio.open_nursery() as nursery:
            for name in self.names:
                nursery.start_soon(self._look_at, name)
        self.board.origin_bytes = await self.seeder_sent()

    async def seeder_sent(self) -> int:
        """Bytes that ever left the seeder."""
        answer = await self.http.get(f"{self.addresses['seeder']}/metrics")
        answer.raise_for_status()
        return sum(int(float(value)) for value in SENT.findall(answer.text))

    def current(self, name: str) -> Path:
        """The directory of the release that a host runs."""
        return (self.directory / name / "services" / configs.SERVICE / "current").resolve()

    async def _look_at(self, name: str) -> None:
        self.board.nodes[name] = await ask(name, configs.SERVICE, self.directory / name / "control")

    async def _tracker(self, home: Path, config: dict[str, object]) -> Child:
        return await self._serve(home.name, home, [program("p2p-tracker"), "serve"], config)

    async def _seeder(self) -> None:
        home = self.directory / "seeder"
        store = self.publisher.store.as_uri()
        config = configs.seeder(home, store, self.addresses["tracker"], self._tokens["seeder"])
        child = await self._serve("seeder", home, [program("p2p-seeder"), "serve"], config)
        self.addresses["seeder"] = f"http://{child.ready['local']}"

    async def _serve(self, name: str, home: Path, argv: list[str], config: dict[str, object]) -> Child:
        file = write_config(home, config)
        return await self.children.start(name, [*argv, "--config", str(file)], self.publisher.environment)

    async def _operate(self, *arguments: str) -> None:
        self.board.event(f"$ p2p-tracker {' '.join(arguments)}")
        argv = [program("p2p-tracker"), *arguments, "--tracker", self.addresses["global"], "--json"]
        argv += ["--identity", str(self._operator)]
        with self.publisher.words.open("ab") as words:
            await command(argv, self.publisher.environment, words)


def write_config(home: Path, config: dict[str, object]) -> Path:
    """A process's home and the configuration file in it."""
    home.mkdir(exist_ok=True)
    file = home / "config.toml"
    file.write_text(configs.toml(config), encoding="utf-8")
    return file
