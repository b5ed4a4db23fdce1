"""What a scenario of one release to many hosts says, whichever engine runs it: `fleet`, `quick` or `scale`.

Plain values, checked; units as in the fields' names. What an engine can't do of it, it refuses by name.
"""

from dataclasses import dataclass, field
from typing import Final

from sim.errors import ScenarioError

UNLIMITED: Final = float("inf")
HOSTS_MAX: Final = 2_000_000
"""A host costs about 2.4 KB at 2,560 chunks: 5 GB of memory."""
COMMAND_S: Final = 5.0
"""When the command to deploy comes, on the clock of engines that follow each message: by then all know each other."""
PIECE_PARTS_MAX: Final = 16
PART_S: Final = 0.01
"""Of an uplink's time. Finer parts would be nearer to packets and cost as much more."""
CHUNKS_MAX: Final = 65_536
SPEED_RATIO_MAX: Final = 50.0
"""Fastest to slowest uplink: the kernel keeps one list of arrivals for each chunk time of the slowest."""


@dataclass(frozen=True)
class Content:
    """The release. Cut into equal chunks here; the last one counts as full."""

    size_bytes: float
    chunk_bytes: float = 4 * 1024.0**2


@dataclass(frozen=True)
class Hosts:
    """Who downloads."""

    count: int
    uplink_bytes_per_s: float
    downlink_bytes_per_s: float
    latency_s: float = 0.001
    """one way, within a region"""
    latency_spread: float = 0.0
    """share by which a host's latency may be smaller or larger than that"""
    slow_share: float = 0.0
    """share of the hosts whose links are slower by `slow_factor`"""
    slow_factor: float = 1.0
    join_over_s: float = 0.0
    """hosts come at even random times over this span (0: all at once)"""
    start_delay_s: float = 0.0
    """mean of an exponential delay before a host begins"""
    dying_share: float = 0.0
    """share of the hosts that die, at random times before `dying_by_s`"""
    dying_by_s: float = 0.0
    stay_s: float = UNLIMITED
    """mean time that a host stays after it has everything"""


@dataclass(frozen=True)
class Cut:
    """A region's links to the outside carry nothing for a while."""

    region: int
    from_s: float
    until_s: float


@dataclass(frozen=True)
class Regions:
    """Equal regions behind links that are capped, each way."""

    count: int = 1
    feed_bytes_per_s: float = UNLIMITED
    latency_s: float = 0.03
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class Racks:
    """Racks of `hosts` hosts behind one capped link each way; 0: no racks."""

    hosts: int = 0
    uplink_bytes_per_s: float = UNLIMITED
    named: bool = False
    """hosts' certificates say in which rack they are, so that they prefer it; arrays always know"""
    copies: float = 0.0
    """that may come over a rack's link (0: any number), where racks are named"""


@dataclass(frozen=True)
class Origin:
    """Where the content comes from, outside all regions."""

    uplink_bytes_per_s: float
    copies_max: float = UNLIMITED
    """copies that the origin sends into a region at most, while the region has one of its own"""


@dataclass(frozen=True)
class Seeders:
    """Seeders that hold the whole release from the start, in each region."""

    per_region: int = 0
    uplink_bytes_per_s: float = 0.0
    copies_max: float = 1.0
    """copies that they send in their region at most; the daemon's rule is one"""


@dataclass(frozen=True)
class Tracker:
    """Handouts. With `announce_s` 0 neighbours are drawn once and never replaced."""

    announce_s: float = 0.0
    outage_from_s: float = 0.0
    outage_until_s: float = 0.0


@dataclass(frozen=True)
class Policy:
    """The daemon's numbers."""

    degree: int = 16
    rack_degree: int = 8
    remote_degree: int = 2
    rarest_of: int = 8
    begin_s: float = 0.5
    """from the command to being in the swarm: goal, metadata, manifest, announce, handout (seen on real daemons)"""
    tell_delay_s: float = 0.05
    """until a new piece is told of, so that several share a message"""
    sends_at_once: float = 4.0
    """pieces that share an uplink at a time: each takes so much longer until it can be passed on"""
    exact_picking: bool = False
    """draw the pieces to compare as the daemon does, one by one; else in a row from a random one, which is faster"""
    request_timeout_s: float = 3.0
    spare_copies: float = 0.1
    """copies beyond the first that starved hosts may bring into a region; more of them made no run faster"""


@dataclass(frozen=True)
class Daemons:
    """For the engine `fleet` alone."""

    dilution: int = 0
    """bytes and rates are divided by this, so times stay the same and cost less; 0: pieces come to 4 KiB"""


@dataclass(frozen=True)
class SwarmPlan:
    """One release to many hosts."""

    content: Content
    hosts: Hosts
    origin: Origin
    regions: Regions = field(default_factory=Regions)
    racks: Racks = field(default_factory=Racks)
    seeders: Seeders = field(default_factory=Seeders)
    tracker: Tracker = field(default_factory=Tracker)
    policy: Policy = field(default_factory=Policy)
    daemons: Daemons = field(default_factory=Daemons)
    give_up_s: float = 0.0
    """when to stop waiting for the last host (0: at 20 times the bound)"""

    def __post_init__(self) -> None:
        self._check("hosts.count", self.hosts.count, 1, HOSTS_MAX)
        self._check("content.chunk_bytes", self.content.chunk_bytes, 1.0, self.content.size_bytes)
        self._check("content: chunks", self.chunks, 1, CHUNKS_MAX)
        self._check("hosts.uplink_bytes_per_s", self.hosts.uplink_bytes_per_s, 1.0, 1e15)
        self._check("hosts.downlink_bytes_per_s", self.hosts.downlink_bytes_per_s, 1.0, 1e15)
        self._check("hosts.latency_spread", self.hosts.latency_spread, 0.0, 1.0)
        self._check("hosts.slow_share", self.hosts.slow_share, 0.0, 1.0)
        self._check("hosts.slow_factor", self.hosts.slow_factor, 1.0, SPEED_RATIO_MAX)
        self._check("hosts.dying_share", self.hosts.dying_share, 0.0, 1.0)
        self._check("regions.count", self.regions.count, 1, self.hosts.count)
        self._check("policy.degree", self.policy.degree, 2, 256)
        self._check("policy.rarest_of", self.policy.rarest_of, 1, 64)
        self._check("origin.uplink_bytes_per_s", self.origin.uplink_bytes_per_s, 0.0, 1e15)
        self._check("daemons.dilution", self.daemons.dilution, 0, self.content.chunk_bytes)
        if self.racks.copies and not (self.racks.named and self.racks.hosts):
            raise ScenarioError("racks.copies: only who knows its rack can keep to it; set racks.named and hosts")
        for cut in self.regions.cuts:
            self._check("regions.cuts: region", cut.region, 0, self.regions.count - 1)
        if not self.origin.uplink_bytes_per_s and not (self.seeders.per_region and self.seeders.uplink_bytes_per_s):
            raise ScenarioError("nobody has the content: give origin.uplink_bytes_per_s, or seeders in each region")

    @staticmethod
    def _check(key: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            raise ScenarioError(f"{key} is {value:g}; it must be from {low:g} to {high:g}")

    @property
    def chunks(self) -> int:
        """How many chunks the release has."""
        return max(1, round(self.content.size_bytes / self.content.chunk_bytes + 0.4999))

    @property
    def chunk_bytes(self) -> float:
        """Of each of them."""
        return self.content.chunk_bytes

    @property
    def parts(self) -> int:
        """Engines that follow each piece send it in so many parts: one enters the next link before all left the
        first, and no connection has much more than one unsent."""
        slowest = self.hosts.uplink_bytes_per_s / (self.hosts.slow_factor if self.hosts.slow_share else 1.0)
        return parts_of(self.chunk_bytes, slowest)

    @property
    def step_s(self) -> float:
        """The kernel's step: the time of one chunk on a host's uplink."""
        return self.content.chunk_bytes / self.hosts.uplink_bytes_per_s


def parts_of(piece_bytes: float, uplink_bytes_per_s: float) -> int:
    """In how many parts a piece leaves an uplink that sends to as few at once as the daemon does at the least."""
    # Only an engine imports brains, when it is known whether compiled ones are there (`sim/native`).
    from p2pd.policy.pacing import slice_bytes
    from p2pd.policy.serving import SENDS_MIN

    part_bytes = max(slice_bytes(uplink_bytes_per_s / SENDS_MIN), PART_S * uplink_bytes_per_s)
    return max(1, min(PIECE_PARTS_MAX, round(piece_bytes / part_bytes)))
