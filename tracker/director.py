"""The director's pen: signs each goal as it is set, and again before it expires. Blocks: a key may be far away.

Hosts of a fleet whose metadata names a director believe nothing else (`p2pd.goals`). Whoever takes this key can choose
among approved releases for as long as it stands in the metadata, and can't go back to older ones.
"""

from collections.abc import Iterable
from pathlib import Path

from manifests.keys import load_signer
from manifests.tuf_api import Signer
from p2pd.goals import sign_as_director
from p2pd.wire.announce import Goal

from .config import TrackerConfig


class Director:
    """Signs for one fleet; what it signs lasts for `life_s`."""

    def __init__(self, fleet: str, signer: Signer, life_s: float) -> None:
        self._fleet = fleet
        self._signer = signer
        self.life_s = life_s

    def sign(self, goals: Iterable[Goal], utc: float) -> tuple[Goal, ...]:
        """The goals with this director's signature; SigningError when the key can't be used."""
        return tuple(sign_as_director(self._fleet, goal, self._signer, utc + self.life_s) for goal in goals)


def load_director(config: TrackerConfig) -> Director | None:
    """By the configuration; None without a key. SigningError, OSError."""
    if not config.director_key:
        return None
    file = config.director_passphrase_file
    passphrase = Path(file).read_bytes().rstrip(b"\r\n") if file else None
    return Director(config.fleet, load_signer(Path(config.director_key), passphrase), config.goal_life_s)
