"""What we know of one neighbour in one swarm."""

from dataclasses import dataclass, field

from p2pd.policy.pacing import Rate
from p2pd.policy.sources import Tier


@dataclass(slots=True, eq=False)
class PeerView:
    """`bits`: the pieces that it told us of. `requested`: piece to when we asked (a piece is forgotten on delivery,
    rejection or cancel). `cancelled`: asked for and taken back, so it may still arrive."""

    key: str
    tier: Tier
    bits: int
    joined_at: float
    requested: dict[int, float] = field(default_factory=dict)
    requested_bytes: int = 0
    offered: int = 0
    """Of a shield: pieces that it named to us though peers held them. Its uplink would rest otherwise."""
    cancelled: set[int] = field(default_factory=set)
    rate: Rate = field(default_factory=Rate)
    upload_rate: Rate = field(default_factory=Rate)
    progress_at: float = float("-inf")
    snubbed_until: float = float("-inf")
    snubs: int = 0
    doubted: bool = False
    """It owes us pieces and does not bring them in any useful time: what it says to hold does not count as held."""
    busy_until: float = float("-inf")
    refusals: int = 0
    """In a row, since it last brought a piece, each time while it owed us nothing else."""
    hedge_at: float = float("-inf")
    """When it may be considered again for a piece that is on its way from another."""
    window: float = float("inf")
    """Pieces that it may owe us: what it had left when it last said that it is busy, and more for each that came."""
    bytes_received: int = 0
    bytes_sent: int = 0
    named: dict[int, float] = field(default_factory=dict)
    """Super-seeding: pieces that we named to it and don't know it to hold, and when we named or sent them."""
    named_unsent: set[int] = field(default_factory=set)
    """Which of them we have not sent yet."""
    named_unasked: set[int] = field(default_factory=set)
    """Which of them it has not asked for."""
    sent: int = 0
    """Super-seeding: the pieces that we sent to it, of which it need not tell us, and those that it would not have."""
    asked_at: float = float("-inf")
    """When it last asked for something, or was first named what it has not asked for."""
    asleep: bool = False
    """It asked for nothing of that: others get it, until it speaks."""
    unspread: int = 0
    """Super-seeding: pieces that we named to it and have not seen at anybody else."""

    def available(self, now: float) -> bool:
        """May be asked now."""
        return now >= self.snubbed_until and now >= self.busy_until

    def __repr__(self) -> str:
        return f"<PeerView {self.key[:8]} {self.tier.name} has {self.bits.bit_count()}, asked {len(self.requested)}>"
