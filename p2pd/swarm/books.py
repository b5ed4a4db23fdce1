"""What all parts of a swarm's brain know: what we hold, what we miss, and who else holds what."""

from collections.abc import Sequence
from dataclasses import dataclass

from .actions import Action
from .availability import Availability
from .peerview import PeerView


@dataclass(slots=True)
class Books:
    """What the asking half shares with the rest of the brain."""

    lengths: Sequence[int]
    present: int
    verifying: int
    peers: dict[str, PeerView]
    by_peers: Availability
    by_shields: Availability
    deeds: list[Action]
    """What is to be done, first things first."""
    wanted: int = 0
    missing: int = 0
    """Wanted, and neither present nor being verified. Kept, for it is asked for more often than anything else."""

    def act(self, deed: Action) -> None:
        """Have it done."""
        self.deeds.append(deed)

    def want(self, pieces: int) -> None:
        """These are wanted from now on, and no others."""
        self.wanted = pieces
        self._count_missing()

    def verify(self, piece: int) -> None:
        """It is there, and being verified."""
        bit = 1 << piece
        self.verifying |= bit
        self.missing ^= self.missing & bit

    def keep(self, piece: int) -> None:
        """It is verified and written."""
        bit = 1 << piece
        self.verifying ^= self.verifying & bit
        self.present |= bit
        if self.missing & bit:  # only where it was copied, not fetched
            self.missing ^= bit

    def give_up(self, piece: int) -> None:
        """It was not what it should be, or could not be written."""
        self.verifying &= ~(1 << piece)
        self._count_missing()

    def lose(self, piece: int) -> None:
        """It is present no longer."""
        self.present &= ~(1 << piece)
        self._count_missing()

    def _count_missing(self) -> None:
        self.missing = self.wanted & ~self.present & ~self.verifying
