"""From a release's name to what both parties signed for: runs the trust chain, and fetches what it asks for.

The chain itself is pure (`manifests.trust`): it says which file of metadata it wants next. The files come from shields
or the CDN by HTTP; when none answers, what was fetched before is used for as long as it has not expired.
"""

from typing import Final

import trio

from manifests.errors import MetadataUnavailableError, UnknownReleaseError
from manifests.names import ReleaseName
from manifests.trust import Approved, TrustChain, Wanted
from p2pd.origin import OriginError
from p2pd.origins import Origins
from p2pd.world import World

FILES_MAX: Final = 300
"""Files of metadata fetched for one look-up: 256 root rotations and a few more."""


class Resolver:
    """Looks releases up, one at a time (the metadata cache has one writer)."""

    def __init__(self, world: World, chain: TrustChain, origins: Origins) -> None:
        self._world, self._chain, self._origins = world, chain, origins
        self._lock = trio.Lock()

    async def resolve(self, release: ReleaseName) -> Approved:
        """What is signed for; UntrustedReleaseError and its kin when nothing is, or not any more."""
        async with self._lock:
            try:
                return await self._look_up(release)
            except OriginError as error:
                return await self._from_cache(release, error)

    async def _look_up(self, release: ReleaseName) -> Approved:
        fetched: dict[str, bytes | None] = {}
        for _ in range(FILES_MAX):
            answer = await self._world.run_blocking(self._chain.look_up, release, fetched)
            if not isinstance(answer, Wanted):
                return answer
            fetched[answer.path] = await self._origins.present.fetch_metadata(answer.path, answer.max_bytes)
        raise OriginError(f"the repository wants more than {FILES_MAX} files to be read", trio.current_time())

    async def _from_cache(self, release: ReleaseName, error: OriginError) -> Approved:
        try:
            answer = await self._world.run_blocking(lambda: self._chain.look_up(release, {}, offline=True))
        except (MetadataUnavailableError, UnknownReleaseError):  # what we have may be too old to know it
            raise error from None
        if isinstance(answer, Wanted):
            raise error
        return answer
