"""What an operator may set. Read by `p2pd.settings`: file < environment (`P2P_TRACKER_…`) < flags."""

from dataclasses import dataclass, field
from typing import Final

from manifests.errors import ManifestError
from manifests.names import check_product
from p2pd.goals import LIFE_MAX_S
from p2pd.identity.config import IdentityConfig
from p2pd.policy.importing import COPIES
from p2pd.policy.places import LEVELS
from p2pd.wire.announce import COPIES_MAX, GLOBAL

from .attestation.demand import Demand
from .swarms.interval import IntervalLimits

DEFAULT_FLEET: Final = "default"
STATE_FILE: Final = "tracker.sqlite"
DEFAULT_ADMIN_SOCKET: Final = "admin.sock"


@dataclass(frozen=True)
class TrackerConfig:
    """One tracker. Checked on construction: ValueError, which names the key."""

    listen: str = "127.0.0.1:8470"
    """`host:port`; port 0: any free one."""
    state_directory: str = ""
    """Where goals are kept; must be set to serve."""
    fleet: str = DEFAULT_FLEET
    """Who says another fleet's name is refused."""
    region: str = GLOBAL
    """`global`, or the region whose hosts this tracker serves."""
    upstream: str = ""
    """Address of the global tracker; a regional tracker must have one."""
    node: str = ""
    """This tracker's name; empty: `tracker-REGION`."""
    stun_listen: str = ""
    """`host:port` (UDP) where peers behind address translation are told their address outside; empty: nowhere."""
    insecure: bool = False
    """Plain TCP instead of an identity, on this machine only."""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    """Our papers, or how we get them."""
    ca_directory: str = ""
    """The fleet's authority (`p2p-tracker ca init`), for which this tracker answers; empty: the upstream does."""
    admin_socket: str = ""
    """A Unix socket for operators on this machine, for our own user and root; empty: `admin.sock` beside the goals."""
    open_operators: bool = False
    """Take an operator's commands from anywhere on a transport that proves nobody's identity, not just this machine."""
    director_key: str = ""
    """The global tracker's own key, by which it signs goals: a file of `p2p-manifest keys`. '': they are not signed."""
    director_passphrase_file: str = ""
    """Where the passphrase of that key is, if it has one."""
    goal_life_s: float = 7 * 86_400.0
    """A signed goal counts so long. At half of it it is signed anew: so long may the global tracker be away."""
    revision_floor: int = 0
    """New goals get revisions above this. For a global tracker that lost its goals: what its regions' trackers know."""
    lease_s: float = 45.0
    """What is known of a node that says nothing counts for so long (or three announce intervals, if that is longer)."""
    grace_s: float = 10.0
    """The same for a node whose connection ended: it has so long to come back."""
    poll_s: float = 10.0
    """A regional tracker asks the global one so often, whatever was pushed."""
    interval_busy_s: float = 5.0
    """Between announces of a node that is missing pieces."""
    interval_idle_s: float = 30.0
    """Between announces of a node that has all it wants."""
    interval_max_s: float = 300.0
    copies_per_region_link: float = COPIES
    """How often a release may come into a region from others: once is needed, the rest hastens. 0: no bound."""
    copies_per_zone_link: float = 0.0
    """The same into a zone of a region, by hosts whose certificates name zones (`eu/zone-1`). 0: no bound."""
    copies_per_rack_link: float = 0.0
    """The same into a rack of a zone (`eu/zone-1/rack-7`)."""
    announces_per_s_max: float = 2_000.0
    """What this tracker wants to bear; intervals grow so that it is not exceeded."""
    connections_max: int = 100_000
    nodes_max: int = 100_000
    memberships_max: int = 1_000_000
    """Nodes times swarms."""
    reports_max: int = 1_000_000
    """Hosts times services."""

    attestation: dict[str, Demand] = field(default_factory=dict)
    """By product: what a host must have shown before it is offered a release."""

    def __post_init__(self) -> None:
        try:
            check_product(self.region)
        except ManifestError:
            raise ValueError(f"region {self.region!r}: lower-case letters, digits and ._- (at most 64)") from None
        if self.upstream and self.region == GLOBAL:
            raise ValueError("a tracker with an upstream serves a region: set region")
        if self.region != GLOBAL and not self.upstream:
            raise ValueError(f"the tracker of region {self.region!r} follows the global one: set upstream")
        for name in ("lease_s", "poll_s", "interval_busy_s", "interval_idle_s", "interval_max_s", "announces_per_s_max",
                     "connections_max", "nodes_max", "memberships_max", "reports_max", "goal_life_s"):  # fmt: skip
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")
        if self.director_key and self.upstream:
            raise ValueError("director_key: only the global tracker signs goals, a region's hands them on")
        if self.goal_life_s > LIFE_MAX_S:
            raise ValueError(f"goal_life_s must be at most {LIFE_MAX_S:.0f}: hosts refuse what lasts longer")
        for level, copies in zip(LEVELS, self.copies_per_link, strict=True):
            if copies and not 1 <= copies <= COPIES_MAX:
                raise ValueError(f"copies_per_{level}_link must be 1 to {COPIES_MAX:g}, or 0 for no bound")
        for name in ("grace_s", "revision_floor"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")

    @property
    def copies_per_link(self) -> tuple[float, float, float]:
        """By LEVELS."""
        return self.copies_per_region_link, self.copies_per_zone_link, self.copies_per_rack_link

    @property
    def name(self) -> str:
        """This tracker's name in the fleet."""
        return self.node or f"tracker-{self.region}"

    @property
    def intervals(self) -> IntervalLimits:
        """The limits of announce intervals."""
        return IntervalLimits(self.interval_busy_s, self.interval_idle_s, self.interval_max_s, self.announces_per_s_max)
