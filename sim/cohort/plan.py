"""What a `cohort` scenario says: one release to a world of devices. Plain values, checked; units as in the names."""

from dataclasses import dataclass, field
from typing import Final

from sim.errors import ScenarioError

SHARES_TOLERANCE: Final = 1e-6
LAN_SIZE_MAX: Final = 4096


@dataclass(frozen=True)
class Content:
    """What a device downloads: an image, or the delta to it."""

    size_bytes: float


@dataclass(frozen=True)
class Devices:
    """When devices are there. On and off are exponential times whose means breathe with the local hour."""

    count: int
    online_s: float = 2 * 3600.0
    offline_s: float = 4 * 3600.0
    swing: float = 0.6
    """how much longer sessions are, and how much shorter pauses, at the peak hour; 0 to less than 1"""
    peak_hour: float = 20.0
    check_in_s: float = 6 * 3600.0
    """mean time between check-ins while online"""


@dataclass(frozen=True)
class Ring:
    """A stage of the rollout: from `opens_s` on, this share of all devices (with the earlier rings) is offered it."""

    name: str
    share: float
    opens_s: float


@dataclass(frozen=True)
class Lan:
    """A share of the devices that lives in LANs of this size. `wan_bytes_per_s` 0: as the access classes say."""

    size: int
    share: float
    wan_bytes_per_s: float = 0.0


@dataclass(frozen=True)
class Access:
    """A share of the (small) LANs whose line to the internet is this fast."""

    name: str
    share: float
    wan_bytes_per_s: float


@dataclass(frozen=True)
class InternetPeers:
    """Complete devices that serve strangers."""

    duty: float = 0.0
    """share of those online that are on power, unmetered and willing"""
    uplink_bytes_per_s: float = 0.0
    connectable: float = 0.35
    """share that can be dialled from outside"""
    hole_punching: float = 0.0
    """success between two that can't"""

    @property
    def reach(self) -> float:
        """Chance that two devices can connect."""
        return 1.0 - (1.0 - self.connectable) ** 2 * (1.0 - self.hole_punching)


@dataclass(frozen=True)
class Cdn:
    """What the CDN may be asked for at once."""

    capacity_bytes_per_s: float


@dataclass(frozen=True)
class CohortPlan:
    """One release to a world of devices."""

    content: Content
    devices: Devices
    cdn: Cdn
    access: tuple[Access, ...]
    lans: tuple[Lan, ...] = (Lan(1, 1.0),)
    rings: tuple[Ring, ...] = (Ring("everybody", 1.0, 0.0),)
    peers: InternetPeers = field(default_factory=InternetPeers)
    zones: tuple[float, ...] = (0.04, 0.08, 0.1, 0.06, 0.12, 0.12, 0.06, 0.08, 0.12, 0.14, 0.06, 0.02)
    """share of the devices by time zone, evenly spaced round the globe"""
    lan_bytes_per_s: float = 200e6 / 8
    """from one device of a LAN to another"""
    span_s: float = 7 * 86400.0
    step_s: float = 300.0
    sample_devices: int = 60_000
    """devices that stand for all those of one size of large LANs"""

    def __post_init__(self) -> None:
        for what, shares in (
            ("access", [item.share for item in self.access]),
            ("lans", [item.share for item in self.lans]),
            ("zones", list(self.zones)),
        ):
            if abs(sum(shares) - 1.0) > SHARES_TOLERANCE or min(shares) < 0.0:
                raise ScenarioError(
                    f"{what}: shares add up to {sum(shares):.6g}; they must be positive and add up to 1"
                )
        shares = [ring.share for ring in self.rings]
        if sorted(shares) != shares or not 0.0 < shares[-1] <= 1.0 or shares[0] < 0.0:
            raise ScenarioError(
                "rings: share counts earlier rings in, so it must grow from ring to ring, up to 1 at most"
            )
        if sorted(ring.opens_s for ring in self.rings) != [ring.opens_s for ring in self.rings]:
            raise ScenarioError("rings: opens_s must grow from ring to ring")
        if not 0.0 <= self.devices.swing < 1.0:
            raise ScenarioError(f"devices.swing is {self.devices.swing:g}; it must be from 0 to less than 1")
        if any(not 1 <= lan.size <= LAN_SIZE_MAX for lan in self.lans):
            raise ScenarioError(f"lans: size must be from 1 to {LAN_SIZE_MAX}")
        if self.span_s < self.step_s or self.step_s <= 0.0:
            raise ScenarioError("step_s must be positive, and span_s at least as long")
