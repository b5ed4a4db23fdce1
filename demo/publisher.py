"""The publisher's side: both parties' keys, the repository and the releases, all by `p2p-manifest`."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from .configs import PRODUCT
from .errors import DemoError
from .processes import command

KEYS: Final = ("root", "targets", "online", "build", "release")
"""One each of those who keep the repository, and of the two parties."""
PARTIES: Final = ("build", "release")
DIFFERS: Final = 3
"""Exit code of `p2p-manifest verify` when a byte is off."""


def program(name: str) -> str:
    """One of our commands, as `make setup` installed it beside this Python."""
    return str(Path(sys.executable).parent / name)


def environment() -> dict[str, str]:
    """What the commands see: ours, with this Python's commands first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


@dataclass(frozen=True)
class Release:
    """A published release."""

    version: str
    size: int

    @property
    def name(self) -> str:
        """`product@version`."""
        return f"{PRODUCT}@{self.version}"


@dataclass
class Publisher:
    """Owns `directory`: keys/, root.json, and store/, which the seeder reads. What its commands say goes to `words`."""

    directory: Path
    words: Path
    environment: Mapping[str, str] = field(default_factory=environment)

    @property
    def store(self) -> Path:
        """The origin."""
        return self.directory / "store"

    @property
    def trust_root(self) -> Path:
        """What daemons pin."""
        return self.directory / "root.json"

    def key(self, name: str, kind: str = "key") -> str:
        """The file of a private key, or of a public one (`pub`)."""
        return str(self.directory / "keys" / f"{name}.{kind}")

    async def prepare(self) -> None:
        """Keys for both parties and a repository in which only both together can release."""
        for name in KEYS:
            await self._run("keys", "new", name, "--unencrypted", "--directory", str(self.directory / "keys"))
        await self._run(
            "repo", "init", *self._store, "--root-key", self.key("root"), "--targets-key", self.key("targets"),
            "--online-key", self.key("online"), "--output", str(self.trust_root),
        )  # fmt: skip
        await self._run(
            "repo", "add-product", PRODUCT, *self._store, "--targets-key", self.key("targets"),
            "--build-key", self.key("build", "pub"), "--release-key", self.key("release", "pub"),
        )  # fmt: skip

    async def publish(self, version: str, tree: Path, profile: str = "host") -> Release:
        """Chunk a tree and store it; then both parties sign, and the repository shows it."""
        health = f"{sys.executable} -I -S -B app/main.py --check"
        said = await self._run(
            "publish", str(tree), "--product", PRODUCT, "--version", version, "--health", health, "--profile", profile,
            *self._store,
        )  # fmt: skip
        size = said["size_bytes"]
        if not isinstance(size, int):
            raise DemoError(f"p2p-manifest publish answered {said!r}")
        release = Release(version, size)
        for party in PARTIES:
            await self._run("sign", release.name, "--party", party, "--key", self.key(party), *self._store)
        await self._run("repo", "promote", "--key", self.key("online"), *self._store)
        return release

    async def verify(self, path: Path, release: Release) -> bool:
        """Is what lies at `path` what both parties signed, to the last byte, mode and time?"""
        argv = [program("p2p-manifest"), "verify", str(path), release.name, *self._store]
        argv += ["--root", str(self.trust_root), "--json"]
        done = await trio.run_process(argv, capture_stdout=True, capture_stderr=True, check=False, env=self.environment)
        with self.words.open("ab") as words:
            words.write(f"$ {' '.join(argv)}\n".encode() + done.stdout + done.stderr)
        if done.returncode not in (0, DIFFERS):
            raise DemoError(f"{' '.join(argv)}\nexited with {done.returncode}: {done.stderr.decode().strip()}")
        return done.returncode == 0

    @property
    def _store(self) -> tuple[str, str]:
        return "--store", str(self.store)

    async def _run(self, *arguments: str) -> dict[str, object]:
        with self.words.open("ab") as words:
            return await command([program("p2p-manifest"), *arguments, "--json"], self.environment, words)
