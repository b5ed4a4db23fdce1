"""One peer or shield: its brain, what it owes, and its ways to its neighbours."""

from dataclasses import dataclass, field
from math import inf, nan

from p2pd.swarm import Swarm
from p2pd.swarm.uploads import Uploads
from sim.net import Place

from .way import Way


@dataclass(slots=True, eq=False)
class Node:
    """`brain` is None until it begins. `ways`: to each neighbour, by key."""

    key: str
    place: Place
    region: int
    shield: bool = False
    lan: int = 0
    """On which LAN, of those whose hosts know each other; 0: on none."""
    rack: str = ""
    """ZONE/RACK, where certificates name it."""
    brain: Swarm | None = None
    ways: dict[str, Way] = field(default_factory=dict)
    uploads: Uploads = field(init=False)
    timer_at: float = inf
    """When its timekeeper wakes."""
    uploads_at: float = inf
    """When, as it last saw, somebody has been sent to for so long that another may begin."""
    retimed: bool = False
    prompt: bool = False
    """Its disk has taken a piece; from then on who reads pieces keeps them."""
    began_s: float = nan
    finish_s: float = nan
    dead: bool = False
    received: dict[str, int] = field(default_factory=dict)
    """Bytes of pieces that were kept, by the tier of who sent them."""
    sent_pieces: int = 0

    def __post_init__(self) -> None:
        self.uploads = Uploads(self._spread)

    @property
    def where(self) -> str:
        """As its certificate says."""
        return f"region-{self.region}/{self.rack}" if self.rack else f"region-{self.region}"

    def _spread(self, _: bytes) -> list[int]:
        return self.brain.spread if self.brain is not None else []

    def __repr__(self) -> str:
        return f"<Node {self.key} {self.brain or 'not yet here'}, {len(self.ways)} neighbours>"
