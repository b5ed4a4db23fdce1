"""What a simulated fleet consists of."""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from manifests.repository import TIMESTAMP_LIFE
from sim.disk import DiskSpeed
from sim.net.network import QUANTUM_BYTES

from .releases import ReleaseSpec

QUANTUM_S: Final = 0.02
QUANTUM_BYTES_MIN: Final = 1024
QUANTUM_PIECE_BYTES_MAX: Final = 1024
"""A piece that is no larger stays whole."""
HEAD_BYTES: Final = 64


@dataclass(frozen=True)
class Access:
    """A host's own link."""

    up_bytes_per_s: float = inf
    down_bytes_per_s: float = inf
    latency_s: float = 0.0005


@dataclass(frozen=True)
class FleetPlan:
    """Daemons are spread over the regions in turn, and within a region over its zones and their racks.

    Rates may be `diluted`: with all rates and the size of pieces divided by the same number the times stay the same,
    and the run gets cheaper. `backbone`: of each region; `zone`: of each zone; `rack`: of each rack. With `zones` their
    certificates name zone and rack; with 0 only the region, whose racks are links and no more.
    """

    releases: tuple[ReleaseSpec, ...] = (ReleaseSpec("1.0", 1),)
    pieces: int = 32
    piece_bytes: int = 4096
    daemons: int = 8
    regions: tuple[str, ...] = ("north",)
    zones: int = 0
    racks: int = 1
    """In each zone, or in each region."""
    copies_per_zone_link: float = 0.0
    copies_per_rack_link: float = 0.0
    seeders: int = 1
    daemon: Access = field(default_factory=Access)
    seeder: Access = field(default_factory=Access)
    zone: Access = field(default_factory=lambda: Access(latency_s=0.0))
    rack: Access = field(default_factory=lambda: Access(latency_s=0.0))
    backbone: Access = field(default_factory=lambda: Access(latency_s=0.02))
    behind_nat: int = 0
    """So many daemons, the last ones, are behind a NAT of their own: they dial, nobody dials them."""
    disk: DiskSpeed = field(default_factory=DiskSpeed)
    metadata_life_s: float = TIMESTAMP_LIFE.total_seconds()
    grain_s: float = 0.0
    """Of the clock (`sim.clock`): a large fleet gets cheaper, and each host answers that much later."""
    diluted: bool = False
    parts: int = 4
    """A diluted piece travels in so many parts."""
    seeders_outside: bool = False
    """The seeders stand outside all regions, so what they send enters through the backbone's link."""
    accesses: tuple[Access, ...] = ()
    """Of each daemon; empty: all have `daemon`."""
    dilution: float = 1.0
    """Rates and pieces were divided by this."""
    announce_s: float = 0.0
    """Between announces of a daemon that is missing pieces; 0: the tracker's own default."""
    cdn: bool = False
    """The first seeder's HTTP is also in the daemons' configuration."""
    one_tracker: bool = False
    """All hosts talk to the global tracker, so that hosts of several regions are named to each other."""
    http_only: bool = False
    """The seeders speak HTTP, and are in no swarm."""
    upload_bytes_per_s: int = 0
    download_bytes_per_s: int = 0
    reserve_bytes: int = 0

    @property
    def quantum_bytes(self) -> int:
        """What a flow sends in one turn: QUANTUM_S of the slowest link, within bounds; of diluted pieces a part."""
        if self.diluted:
            return -(-(self.piece_bytes + HEAD_BYTES) // self.parts)
        links = (self.daemon, *self.accesses, self.seeder, self.rack, self.zone, self.backbone)
        slowest = min(min(link.up_bytes_per_s, link.down_bytes_per_s) for link in links)
        whole = self.piece_bytes + HEAD_BYTES if self.piece_bytes <= QUANTUM_PIECE_BYTES_MAX else QUANTUM_BYTES_MIN
        return round(max(whole, min(QUANTUM_BYTES, QUANTUM_S * slowest)))

    @property
    def size_bytes(self) -> int:
        """Of one release."""
        return self.pieces * self.piece_bytes
