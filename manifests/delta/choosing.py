"""Which earlier releases are worth a pack, by how many devices run them and how much these lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SHARE_MIN: Final = 0.01
"""Of all that would travel without packs: a base with less than this is not worth its storage."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier release: how many devices run it, and how many bytes of the new one they lack."""

    version: str
    devices: float
    missing_bytes: int

    @property
    def traffic(self) -> float:
        """Bytes that its devices would fetch without a pack."""
        return self.devices * self.missing_bytes


def choose(candidates: Sequence[Candidate], count_max: int) -> list[Candidate]:
    """Those whose devices would fetch most, most first."""
    least = SHARE_MIN * sum(one.traffic for one in candidates)
    worth = [one for one in candidates if one.traffic > 0 and one.traffic >= least]
    return sorted(worth, key=lambda one: (-one.traffic, one.version))[:count_max]


def mix(document: object) -> Mapping[str, float]:
    """Devices by version, from a JSON object of numbers; ValueError for anything else."""
    if not isinstance(document, dict) or not document:
        raise ValueError("a fleet's mix is a JSON object: version to number of devices")
    for version, devices in document.items():
        if isinstance(devices, bool) or not isinstance(devices, int | float) or not 0 <= devices < float("inf"):
            raise ValueError(f"{version}: {devices!r} is no number of devices")
    return {version: float(devices) for version, devices in document.items()}
