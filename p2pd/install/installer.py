"""Carries out what the lifecycle decides about `current`: switch, restart, check, go back. Makes no choices.

<directory>/releases/<version>-<8 hex of swarm>/     complete releases
<directory>/current -> releases/...                  what runs; only ever replaced by a rename
"""

import os
from typing import Final

import trio

from p2pd.world import World
from p2pd.world.durable import make_durable_directories
from p2pd.world.processes import Exit

from .memory import Candidate

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def release_directory(version: str, swarm: bytes) -> str:
    """Where a release lies, relative to its service's directory; the digest keeps two builds of one version apart."""
    return f"releases/{version}-{swarm.hex()[:8]}"


class Installer:
    """The body for one service. `restart`: the site's command, run after every switch; '' in P2P_RELEASE is nothing."""

    def __init__(
        self,
        world: World,
        service: str,
        directory: str,
        *,
        restart: tuple[str, ...] = (),
        restart_timeout_s: float = 60.0,
        path: str = DEFAULT_PATH,
    ) -> None:
        self._world = world
        self._service = service
        self.directory = directory
        self._restart = restart
        self._restart_timeout_s = restart_timeout_s
        self._path = path

    async def current(self) -> str | None:
        """Where `current` points; None if that does not exist."""
        return await self._world.run_blocking(self._current)

    def _current(self) -> str | None:
        found = self._world.disk.read_link(f"{self.directory}/current")
        if found is None or self._world.disk.stat(os.path.join(self.directory, found)) is None:
            return None
        return found

    async def switch(self, target: Candidate) -> None:
        """Point `current` to the target, durably. OSError."""
        await self._world.run_blocking(self._switch, target.directory)

    async def go_back(self, target: Candidate | None) -> None:
        """Point `current` to what ran before, or remove it; then restart, whatever comes of that. OSError."""
        await self._world.run_blocking(self._switch, target.directory if target else None)
        await self._run_restart(target)

    async def check(self, target: Candidate) -> tuple[bool, str]:
        """Restart the service and check the target's health: the verdict, and what the failing command said."""
        failure = await self._run_restart(target)
        if failure:
            return False, f"restart command {failure}"
        health = target.health
        if health is None:
            return True, ""
        for attempt in range(health.attempts):
            if attempt:
                await trio.sleep(health.interval_s)
            failure = await self._run(health.argv, target, health.timeout_s)
            if not failure:
                return True, ""
        return False, failure

    async def _run_restart(self, target: Candidate | None) -> str:
        return await self._run(self._restart, target, self._restart_timeout_s) if self._restart else ""

    async def _run(self, argv: tuple[str, ...], target: Candidate | None, timeout_s: float) -> str:
        """How the command failed; '' if it did not."""
        directory = os.path.join(self.directory, target.directory) if target else self.directory
        environment = {
            "PATH": self._path,
            "P2P_SERVICE": self._service,
            "P2P_RELEASE": target.release if target else "",
            "P2P_DIRECTORY": directory,
        }
        try:
            ended = await self._world.processes.run(argv, directory, environment, timeout_s)
        except OSError as error:
            return f"could not be run: {argv[0]}: {error.strerror}"
        return _failure(ended, timeout_s)

    def _switch(self, directory: str | None) -> None:
        disk, link = self._world.disk, f"{self.directory}/current"
        if directory is None:
            disk.remove_tree(link)
            disk.sync(self.directory)
            return
        if disk.read_link(link) != directory:
            make_durable_directories(disk, self.directory)
            disk.switch_symlink(directory, link)


def _failure(ended: Exit, timeout_s: float) -> str:
    if ended.timed_out:
        return f"took longer than {timeout_s:g} s\n{ended.output}"
    if ended.code == 0:
        return ""
    how = f"ended by signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
    return f"{how}\n{ended.output}"
