"""The fleet's certificate authority, all by `p2p-tracker ca`: who is given what to join with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .configs import FLEET, REGION
from .processes import command
from .publisher import program


@dataclass
class Authority:
    """Owns `directory`. What its commands say goes to `words`."""

    directory: Path
    words: Path
    environment: Mapping[str, str]

    async def prepare(self) -> None:
        """A root, and what signs under it."""
        await self._run("init", str(self.directory), "--fleet", FLEET)

    async def token(self, role: str, *, uses: int = 1, region: str = REGION, name: str = "") -> Path:
        """The file of a token for so many machines of this role, or for the one with this name."""
        file = self.directory / f"{name or role}.token"
        flags = ["--role", role, "--region", region, "--uses", str(uses), "--output", str(file)]
        flags += ["--host", name] if name else []
        await self._run("token", *flags, *self._where)
        return file

    async def papers(self, role: str, name: str, *, region: str = REGION) -> Path:
        """A directory with papers made by hand."""
        directory = self.directory / name
        flags = ("--role", role, "--host", name, "--region", region, "--output", str(directory))
        await self._run("issue", *flags, *self._where)
        return directory

    @property
    def _where(self) -> tuple[str, str]:
        return "--ca", str(self.directory)

    async def _run(self, *arguments: str) -> dict[str, object]:
        with self.words.open("ab") as words:
            return await command([program("p2p-tracker"), "ca", *arguments, "--json"], self.environment, words)
