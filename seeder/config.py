"""What an operator may set. Read by `p2pd.settings`: file < environment (`P2P_SEEDER_…`) < flags."""

from dataclasses import dataclass, field
from typing import Final

from manifests.console import UsageError
from p2pd.identity.config import IdentityConfig

GIB: Final = 1024**3
MIB: Final = 1024**2


@dataclass(frozen=True)
class SeederConfig:
    """One seeder. Checked on construction: UsageError, which names the key."""

    store: str
    """URL or directory of the blob store."""
    http_listen: str = "127.0.0.1:8480"
    """Where HTTP for the fleet listens, `host:port`, over its TLS; port 0: any free one."""
    http_url: str = ""
    """What hosts are told to fetch from; empty: where HTTP for the fleet listens."""
    listen: str = ""
    """Where the peer wire listens; empty: HTTP only."""
    advertise: str = ""
    """What peers are told to dial; empty: where the peer wire listens."""
    tracker: tuple[str, ...] = ()
    """Trackers to announce to, the preferred first."""
    node: str = ""
    """This seeder's name; empty: made from its address."""
    fleet: str = "default"
    region: str = "default"
    insecure: bool = False
    """Plain TCP instead of an identity, on this machine only."""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    """Our papers, or how we get them."""
    state_directory: str = "/var/lib/p2p-seeder"
    """Where papers from the fleet's authority are kept, unless `identity` says otherwise."""
    local_listen: str = ""
    """Where plain HTTP listens for this machine alone (`stats`, Prometheus, a web server in front); empty: nowhere."""
    cache_directory: str = ""
    """Absolute; empty: memory only."""
    cache_bytes: int = 20 * GIB
    """What the cache directory may hold."""
    memory_bytes: int = 64 * MIB
    """What is kept in memory of it."""
    origin_requests_max: int = 32
    """Fetches from the blob store at once."""
    connections_max: int = 1024
    """HTTP connections at once; more are told to come back."""
    idle_s: float = 60.0
    """After which a silent HTTP connection is closed."""
    stop_s: float = 10.0
    """How long answers under way may take when the seeder is told to stop."""

    def __post_init__(self) -> None:
        if not self.store:
            raise UsageError("store: which blob store? a directory or a URL such as s3://bucket/prefix")
        if self.cache_directory and not self.cache_directory.startswith("/"):
            raise UsageError(f"cache_directory: {self.cache_directory!r} is not an absolute path")
        for name in ("cache_bytes", "memory_bytes"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name}: {getattr(self, name)} is negative")
        for name in ("origin_requests_max", "connections_max", "idle_s", "stop_s"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name}: {getattr(self, name)} is not more than 0")
