"""Packs on this disk, in a store of their own: shared while they may help others, then deleted."""

import os
from collections.abc import Callable
from typing import Final

import trio

from p2pd.store import Artifact, Store
from p2pd.world import World

from .reopening import scratch_directory

DIRECTORY: Final = "packs"
"""Below the state directory: a store, and in it `files`, one file a pack."""
RETRY_S: Final = 60.0


class Shelf:
    """Keeps packs for `keep_s` after they were last put to use; a restart begins that anew.

    `leave` is told which swarm is to be left before its pack goes.
    """

    def __init__(self, world: World, store: Store, keep_s: float, leave: Callable[[bytes], None]) -> None:
        self._world, self.store, self._keep_s, self._leave = world, store, keep_s, leave
        self._until: dict[bytes, float] = {}
        self._in_use: set[bytes] = set()
        self._changed = trio.Event()

    def destination(self, swarm: bytes) -> str:
        """Where the file of a pack shall be."""
        return os.path.join(self.store.directory, "files", swarm.hex())

    def clear(self, swarm: bytes) -> None:
        """Delete what applying a pack needed. Blocks; OSError."""
        self.store.disk.remove_tree(scratch_directory(self.store.directory, swarm))

    def use(self, swarm: bytes) -> None:
        """Not to be deleted before `put_back`."""
        self._in_use.add(swarm)

    def put_back(self, swarm: bytes) -> None:
        """It has done its work here."""
        self._in_use.discard(swarm)
        self._until[swarm] = trio.current_time() + self._keep_s
        self._changed.set()

    @property
    def idle(self) -> list[Artifact]:
        """Packs that only help others now."""
        return [one for one in self.store.artifacts.values() if one.swarm not in self._in_use]

    async def remove(self, artifact: Artifact) -> None:
        """It goes now. OSError."""
        self._leave(artifact.swarm)
        await self._world.run_blocking(self.clear, artifact.swarm)
        await self._world.run_blocking(self.store.remove, artifact)

    async def run(self) -> None:
        """Delete what was kept for long enough, until cancelled."""
        while True:
            self._changed = trio.Event()
            for artifact in list(self.store.artifacts.values()):
                await self._look_at(artifact)
            self._until = {swarm: at for swarm, at in self._until.items() if swarm in self.store.artifacts}
            with trio.move_on_at(min(self._until.values(), default=float("inf"))):
                await self._changed.wait()

    async def _look_at(self, artifact: Artifact) -> None:
        swarm, now = artifact.swarm, trio.current_time()
        until = self._until.setdefault(swarm, now + self._keep_s)
        if swarm in self._in_use:
            self._until[swarm] = now + self._keep_s
        elif until <= now:
            try:
                await self.remove(artifact)
            except OSError:  # a sick disk must not end the daemon
                self._until[swarm] = now + RETRY_S
