"""Which packs to take, and what may be fetched as it is while they are at work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from p2pd.wire import bits

STALL_S: Final = 30.0
"""A pack that brings nothing for so long is not waited for any more: its pieces may come as they are, too."""

WHOLE_SHARE: Final = 0.95
"""Where so much of a base is held, no seed is asked for more of it: what can't be made comes as it is."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One pack of a release. `base`: the release that it starts from, or empty. `cost_bytes`: its manifest and all."""

    pack: bytes
    base: bytes
    cost_bytes: int


def choose_packs(
    offers: Sequence[Offer], *, held: Mapping[bytes, float], missing_bytes: int, dear_link: bool
) -> list[bytes]:
    """The packs to take, the next when one ends with something missing. `held`: what share of a release is here.

    The pack by which least is to be fetched, if of a release that is here in part just such a part can be made, and the
    rest comes as it is; then, where bytes cost more than time, the pack that needs none. A pack that costs more than
    it makes is left alone. None: everything comes as it is.
    """
    worth = [one for one in offers if one.cost_bytes < missing_bytes * (held.get(one.base, 0.0) if one.base else 1.0)]
    patches = sorted(
        (one for one in worth if one.base),
        key=lambda one: (one.cost_bytes - held[one.base] * missing_bytes, one.pack),
    )
    compressed = [one for one in worth if not one.base] if dear_link else []
    return [one.pack for one in patches[:1] + compressed]


@dataclass(slots=True)
class Fallback:
    """Grants pieces to be fetched as they are. `lengths`: of all pieces. `bytes_max`: granted at most; 0 is no limit.

    Sets of pieces are bitsets. A grant that was not used is given back when the pack moves again.
    """

    lengths: Sequence[int]
    bytes_max: int
    progress_at: float
    granted: int = 0
    refused_bytes: int = field(default=0, init=False)
    """What would be granted if the budget were larger."""

    def progress(self, now: float) -> None:
        """A pack brought something, or nothing was to be expected of it just now."""
        self.progress_at = max(self.progress_at, now)

    def patched(self, pieces: int) -> None:
        """These came from a pack, whatever was granted."""
        self.granted &= ~pieces

    def stalled(self, now: float) -> bool:
        """No pack brought anything for too long."""
        return now - self.progress_at >= STALL_S

    def grant(self, *, missing: int, hoped: int, now: float) -> int:
        """The missing pieces that may be fetched as they are. `hoped`: those that a pack is expected to bring."""
        asked = missing if self.stalled(now) else missing & ~hoped
        used = self.granted & ~missing
        left = self.bytes_max - self._bytes(used) if self.bytes_max else None
        self.refused_bytes, chosen = 0, asked
        if left is not None and self._bytes(asked) > left:
            chosen = 0
            for piece in bits.iterate(asked):
                if self.lengths[piece] <= left:
                    chosen |= 1 << piece
                    left -= self.lengths[piece]
                else:
                    self.refused_bytes += self.lengths[piece]
        self.granted = used | chosen
        return chosen

    def spent_bytes(self, missing: int) -> int:
        """Granted, and here."""
        return self._bytes(self.granted & ~missing)

    def _bytes(self, pieces: int) -> int:
        return sum(self.lengths[piece] for piece in bits.iterate(pieces))
