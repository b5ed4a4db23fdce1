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

PARTIES: Final = ("build", "release")
UNTRUSTED: Final = 3
"""Exit code of `p2p-manifest verify` when a byte is off."""


def program(name: str) -> str:
    """One of our commands, as `make setup` installed it beside this Python."""
    return str(Path(sys.executable).parent / name)


def environment() -> dict[str, str]:
    """What the commands see: ours, with this Python's commands first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


@dataclass(frozen=True)
class Release:
    """A published release. `manifest`: the file that holds its manifest."""

    version: str
    size: int
    pieces: int
    manifest: Path

    @property
    def name(self) -> str:
        """`product@version`."""
        return f"{PRODUCT}@{self.version}"


@dataclass
class Publisher:
    """Owns `directory`: keys/, and store/, the blob store that the seeder reads. Its commands go to `words`."""

    directory: Path
    words: Path
    environment: Mapping[str, str] = field(default_factory=environment)

    @property
    def store(self) -> Path:
        """The origin."""
        return self.directory / "store"

    @property
    def keys(self) -> Path:
        """Of both parties, and of the repository."""
        return self.directory / "keys"

    @property
    def trust_root(self) -> Path:
        """What daemons pin."""
        return self.store / "metadata" / "1.root.json"

    async def prepare(self) -> None:
        """Keys for both parties and a repository in which only both together can release."""
        await self._run("init", "--store", str(self.store), "--keys", str(self.keys), PRODUCT)

    async def publish(self, version: str, tree: Path) -> Release:
        """Chunk a tree, store it, sign it by both parties."""
        health = f"{sys.executable} -I -S -B app/main.py --check"
        said = await self._run(
            "publish", "--store", str(self.store), "--keys", str(self.keys), "--profile", "host",
            "--health", health, f"{PRODUCT}@{version}", str(tree),
        )  # fmt: skip
        digest, size, pieces = said["digest"], said["bytes"], said["pieces"]
        if not isinstance(size, int) or not isinstance(pieces, int):
            raise DemoError(f"p2p-manifest publish answered {said!r}")
        return Release(version, size, pieces, self.store / "manifests" / str(digest))

    async def verify(self, path: Path, release: Release) -> bool:
        """Does every byte at `path` have the digest that was signed for?"""
        argv = [program("p2p-manifest"), "verify", str(path), str(release.manifest), "--json"]
        done = await trio.run_process(argv, capture_stdout=True, capture_stderr=True, check=False, env=self.environment)
        with self.words.open("ab") as words:
            words.write(f"$ {' '.join(argv)}\n".encode() + done.stdout + done.stderr)
        if done.returncode not in (0, UNTRUSTED, 1):
            raise DemoError(f"{' '.join(argv)}\nexited with {done.returncode}: {done.stderr.decode().strip()}")
        return done.returncode == 0

    async def _run(self, *arguments: str) -> dict[str, object]:
        with self.words.open("ab") as words:
            return await command([program("p2p-manifest"), *arguments, "--json"], self.environment, words)
