"""From a release's name to what both parties signed for, and who may set goals: runs the trust chain, and fetches what
it asks for.

The chain itself is pure (`manifests.trust`): it says which file of metadata it wants next. The files come from shields
or the CDN by HTTP; when none answers, what was fetched before is used for as long as it has not expired.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from typing import Final, Protocol, TypeVar

import trio

from manifests.authority import Authority
from manifests.errors import ManifestError, MetadataUnavailableError, UnknownReleaseError
from manifests.names import ReleaseName
from manifests.trust import Approved, TrustChain, Wanted
from p2pd.origin import OriginError
from p2pd.origins import Origins
from p2pd.world import World

FILES_MAX: Final = 300
"""Files of metadata fetched for one look-up: 256 root rotations and a few more."""
AUTHORITY_FRESH_S: Final = 30.0
"""A deploy of many services is judged by one look."""


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Look(Protocol[T_co]):
    """A question to the trust chain: `TrustChain.look_up` and its kin."""

    def __call__(self, fetched: Mapping[str, bytes | None], /, *, offline: bool = False) -> T_co | Wanted: ...


class Resolver:
    """Asks the trust chain, one question at a time (the metadata cache has one writer)."""

    def __init__(self, world: World, chain: TrustChain, origins: Origins) -> None:
        self._world, self._chain, self._origins = world, chain, origins
        self._lock = trio.Lock()
        self._authority: Authority | None = None
        self._authority_at = -inf

    async def resolve(self, release: ReleaseName) -> Approved:
        """What is signed for; UntrustedReleaseError and its kin when nothing is, or not any more."""
        return await self._ask(partial(self._chain.look_up, release))

    async def authority(self) -> Authority | None:
        """Who may set goals, as of half a minute ago at most; None in a fleet whose goals are not signed."""
        if trio.current_time() >= self._authority_at + AUTHORITY_FRESH_S:
            self._authority = await self._ask(self._chain.authority)
            self._authority_at = trio.current_time()
        return self._authority

    async def prepare(self, products: Sequence[str]) -> None:
        """Read, as soon as there is somebody to ask, what the first goal will need: it is in a hurry, and who has just
        started is not. What can't be had or believed now is the goal's to complain about."""
        await self._origins.known.wait()
        with suppress(ManifestError, OriginError):
            await self.authority()
            await self._ask(partial(self._chain.prepare, products))

    async def _ask(self, look: _Look[T]) -> T:
        async with self._lock:
            try:
                return await self._online(look)
            except OriginError as error:
                return await self._from_cache(look, error)

    async def _online(self, look: _Look[T]) -> T:
        fetched: dict[str, bytes | None] = {}
        for _ in range(FILES_MAX):
            answer = await self._world.run_blocking(look, fetched)
            if not isinstance(answer, Wanted):
                return answer
            await self._fetch(answer, fetched)
        raise OriginError(f"the repository wants more than {FILES_MAX} files to be read", trio.current_time())

    async def _fetch(self, wanted: Wanted, fetched: dict[str, bytes | None]) -> None:
        """This and what comes with it, at the same time."""

        async def fetch(one: Wanted) -> None:
            fetched[one.path] = await self._origins.present.fetch_metadata(one.path, one.max_bytes)

        failed: list[Exception] = []
        try:
            async with trio.open_nursery() as nursery:
                for one in (wanted, *wanted.also):
                    nursery.start_soon(fetch, one)
        except* OriginError as errors:
            failed.extend(errors.exceptions)
        if failed:  # raised in `except*` it would be in a group again: in Python 3.11.2, not in 3.11.7
            raise failed[0]

    async def _from_cache(self, look: _Look[T], error: OriginError) -> T:
        try:
            answer = await self._world.run_blocking(lambda: look({}, offline=True))
        except (MetadataUnavailableError, UnknownReleaseError):  # what we have may be too old to know it
            raise error from None
        if isinstance(answer, Wanted):
            raise error
        return answer
