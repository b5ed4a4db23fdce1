"""Room on the disk for another release, made by deleting what nobody here needs."""

import json
import os
from collections.abc import Callable, Collection
from typing import Any, Final

from p2pd.config import Config
from p2pd.downloads import Downloads
from p2pd.policy.retention import Spare, choose_evictions
from p2pd.store import Artifact, NoSpaceError, Store
from p2pd.world import World

USED_BYTES_MAX: Final = 1 << 20
HOLDERS_S: Final = 1.0
"""So long the tracker gets to name who else holds what may have to go."""


class Room:
    """`in_use`: swarms that may not go."""

    def __init__(
        self, config: Config, world: World, store: Store, downloads: Downloads, in_use: Callable[[], Collection[bytes]]
    ) -> None:
        self._config, self._world, self._store = config, world, store
        self._downloads, self._in_use = downloads, in_use
        self._path = os.path.join(config.state_directory, "used.json")
        self._used_at: dict[str, float] = {}
        """When each release was seen to be in use last, in seconds since 1970."""

    async def recall(self) -> None:
        """What an earlier run knew."""
        try:
            found = json.loads(await self._world.run_blocking(self._world.disk.read_all, self._path, USED_BYTES_MAX))
            self._used_at = {str(key): float(value) for key, value in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._used_at = {}  # there is none yet, or it is damaged: all are equally old

    async def note_use(self) -> None:
        """What is in use now was used now."""
        now = self._world.utc_now()
        self._used_at |= dict.fromkeys((swarm.hex() for swarm in self._in_use()), now)
        known = {swarm.hex() for swarm in self._store.artifacts}
        self._used_at = {swarm: at for swarm, at in self._used_at.items() if swarm in known}
        try:
            await self._world.run_blocking(self._world.disk.replace, self._path, json.dumps(self._used_at).encode())
        except OSError:
            return  # a full disk: known for as long as this process lives

    async def make(self, lacking: NoSpaceError) -> bool:
        """Delete what may go, if that is enough; else nothing, and False."""
        spares = self._spares()
        if len(spares) > 1 and sum(one.size_bytes for one in spares) > lacking.missing_bytes:
            await self._downloads.learn_holders(HOLDERS_S)
            spares = self._spares()
        chosen = choose_evictions(spares, lacking.missing_bytes)
        for one in chosen or ():
            if one.pack:
                await self._remove_pack(one.key)
            elif one.key not in self._in_use():  # while others were deleted
                await self._downloads.remove(one.key)
        return chosen is not None

    async def _remove_pack(self, swarm: bytes) -> None:
        shelf = self._downloads.patching.shelf
        for pack in shelf.idle:
            if pack.swarm == swarm:
                await shelf.remove(pack)

    def _spares(self) -> list[Spare]:
        """Releases of services that neither run, nor may have to, nor are fetched or pinned; and packs that are not at
        work."""
        idle = self._downloads.patching.shelf.idle
        found = [Spare(one.swarm, one.manifest.size, one.finished, 0, 0.0, pack=True) for one in idle]
        in_use = self._in_use()
        for service, settings in self._config.services.items():
            below = self._config.service_directory(service) + os.sep
            for one in self._store.artifacts.values():
                ours = one.destination.startswith(below) and not one.in_place
                if ours and one.swarm not in in_use and one.manifest.version not in settings.pinned:
                    found.append(self._spare(one))
        return found

    def _spare(self, one: Artifact) -> Spare:
        used_at = self._used_at.get(one.swarm.hex(), 0.0)
        return Spare(one.swarm, one.manifest.size, one.finished, self._downloads.holders(one.swarm), used_at)

    async def snapshot(self) -> dict[str, Any]:
        """For `p2pd status`."""
        try:
            shelf = await self._world.run_blocking(self._store.shelf, self._config.data_directory)
        except OSError:
            return {}
        spare = sum(one.size_bytes for one in self._spares())
        return {"taken_bytes": shelf.taken, "spare_bytes": spare, "quota_bytes": shelf.quota, "free_bytes": shelf.free}
