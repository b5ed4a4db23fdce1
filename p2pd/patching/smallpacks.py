"""Small packs that are here: in memory, for a while, so that peers can have them from us."""

from collections.abc import Callable
from typing import Final

KEPT_BYTES_MAX: Final = 4 * 2**20
"""Of all of them: the oldest go first."""


class SmallPacks:
    """`now`: seconds on the caller's clock; `keep_s`: so long each is kept."""

    def __init__(self, keep_s: float, now: Callable[[], float]) -> None:
        self._keep_s, self._now = keep_s, now
        self._kept: dict[bytes, tuple[float, str, bytes]] = {}

    def keep(self, digest: bytes, release: str, data: bytes) -> None:
        """One that was verified, and the release that it is for."""
        self._kept.pop(digest, None)
        self._kept[digest] = (self._now() + self._keep_s, release, data)
        while sum(len(one) for _, _, one in self._kept.values()) > KEPT_BYTES_MAX:
            del self._kept[next(iter(self._kept))]

    def get(self, digest: bytes) -> bytes | None:
        """Its bytes, if it is here."""
        found = self._find(digest)
        return found[2] if found else None

    def release(self, digest: bytes) -> str | None:
        """The name of its release, if it is here."""
        found = self._find(digest)
        return found[1] if found else None

    def rows(self) -> list[tuple[bytes, str, int]]:
        """Digest, release and bytes of each."""
        return [(digest, found[1], len(found[2])) for digest in list(self._kept) if (found := self._find(digest))]

    def _find(self, digest: bytes) -> tuple[float, str, bytes] | None:
        found = self._kept.get(digest)
        if found is not None and found[0] <= self._now():
            del self._kept[digest]
            return None
        return found
