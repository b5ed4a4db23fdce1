"""The daemon's configuration, checked. `p2pd.settings.load(Config, ...)` fills it."""

import os
from dataclasses import dataclass, field
from random import Random
from typing import Final
from urllib.parse import urlsplit

from manifests.names import check_product, check_version
from p2pd.attestation.config import AttestationConfig
from p2pd.identity.config import IdentityConfig
from p2pd.limits import LimitsConfig
from p2pd.patching.config import PatchingConfig
from p2pd.policy.places import check_place
from p2pd.wire.announce import NAME_CHARS_MAX
from p2pd.world.address import split_address
from p2pd.world.disk import Disk
from p2pd.world.durable import make_durable_directories

ENVIRONMENT_PREFIX: Final = "P2PD"
SOCKET_PATH_BYTES_MAX: Final = 107
"""`sun_path` of a Unix socket, less the zero byte."""
PEERS_MAX_LIMIT: Final = 1_000
LAN_NAME_BYTES_MAX: Final = 240
"""A TXT string of DNS-SD has 255 bytes."""
NODE_BYTES_MAX: Final = 1024
"""Of the file that keeps the node's name."""


@dataclass(frozen=True)
class ServiceConfig:
    """One service that this host runs.

    `root`: its directory is `<root>/<service>` ('': the daemon's data directory). `product`: whose releases ('': named
    like the service). `restart`: the site's command after every switch. `pinned`: versions that are never deleted.
    """

    root: str = ""
    product: str = ""
    restart: tuple[str, ...] = ()
    restart_timeout_s: float = 60.0
    keep_releases: int = 2
    pinned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.root and not os.path.isabs(self.root):
            raise ValueError(f"root = {self.root!r}: must be an absolute path")
        if self.product:
            check_product(self.product)
        for version in self.pinned:
            check_version(version)
        if self.keep_releases < 1:
            raise ValueError("keep_releases must be at least 1: the one before is what a failed release goes back to")
        if self.restart_timeout_s <= 0:
            raise ValueError("restart_timeout_s must be more than 0")


@dataclass(frozen=True)
class Config:
    """All of it. Paths are made absolute. Caps of 0 are none. `node` '' is a random name that is kept.

    `region`: where it is; may name a zone and a rack, too (`eu/zone-1/rack-7`).
    `advertise`: where peers may dial ('': as bound). `trackers`: `host:port`, any of the region. `origins`: base URLs
    of blob stores. `trust_root`: path of the pinned `root.json`. `reserve_bytes` of the disk are never filled.
    `quota_bytes`, `quota_share`: what all releases may take, the share being of what is free and theirs; 0: no quota.
    `metrics_listen`: where Prometheus may ask ('': nowhere). `lan_discovery`: find peers on the LAN by DNS-SD.
    `webrtc`: reach peers that can't be dialled (and be reached) by WebRTC; `stun`: who tells us our address outside.
    `insecure`: plain TCP instead of an `identity`, on this machine only. A name that is not set is the certificate's.
    `upload_bytes_per_s` and `download_bytes_per_s` are for everything outside the LAN; `limits` has the rest.
    `http_floor_bytes_per_s`: where peers bring less, HTTP helps.
    `patching`: what is made from older releases. `attestation`: how this host shows what it runs.
    """

    state_directory: str = "/var/lib/p2pd"
    data_directory: str = "/srv"
    node: str = ""
    region: str = "default"
    fleet: str = "default"
    listen: str = "127.0.0.1:0"
    advertise: str = ""
    trackers: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    trust_root: str = ""
    control_socket: str = ""
    metrics_listen: str = ""
    upload_bytes_per_s: int = 0
    download_bytes_per_s: int = 0
    http_floor_bytes_per_s: int = 0
    reserve_bytes: int = 0
    quota_bytes: int = 0
    quota_share: float = 0.0
    peers_max: int = 32
    lan_discovery: bool = False
    webrtc: bool = False
    stun: tuple[str, ...] = ()
    insecure: bool = False
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    patching: PatchingConfig = field(default_factory=PatchingConfig)
    attestation: AttestationConfig = field(default_factory=AttestationConfig)
    services: dict[str, ServiceConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("state_directory", "data_directory"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")
        self._set("control_socket", self.control_socket or os.path.join(self.state_directory, "control.sock"))
        for name in ("state_directory", "data_directory", "control_socket", "trust_root"):
            self._set(name, getattr(self, name) and os.path.abspath(getattr(self, name)))
        if len(os.fsencode(self.control_socket)) > SOCKET_PATH_BYTES_MAX:
            raise ValueError(f"control_socket has more than {SOCKET_PATH_BYTES_MAX} bytes: {self.control_socket}")
        self._check_names()
        self._check_addresses()
        self._check_numbers()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_names(self) -> None:
        for name in ("node", "region", "fleet"):
            text = getattr(self, name)
            if len(text) > NAME_CHARS_MAX or not text.isprintable() or (not text and name != "node"):
                raise ValueError(f"{name} = {text!r}: expected 1 to {NAME_CHARS_MAX} printable characters")
        try:
            check_place(self.region)
        except ValueError as error:
            raise ValueError(f"region: {error}") from None
        if self.lan_discovery and any(len(name.encode()) > LAN_NAME_BYTES_MAX for name in (self.node, self.fleet)):
            raise ValueError(f"node and fleet have at most {LAN_NAME_BYTES_MAX} bytes where lan_discovery is on")
        for service in self.services:
            try:
                check_product(service)
            except ValueError as error:
                raise ValueError(f"services: a service is named like a product: {error}") from None
        runs: dict[str, str] = {}
        for service in self.services:
            other = runs.setdefault(self.product(service), service)
            if other != service:
                raise ValueError(
                    f"services: {other} and {service} both run the releases of {self.product(service)}, "
                    "and a release is kept in one place"
                )

    def _check_addresses(self) -> None:
        for name in ("listen", "advertise", "trackers", "metrics_listen"):
            value = getattr(self, name)
            for address in (value,) if isinstance(value, str) else value:
                try:
                    if address or name == "listen":
                        split_address(address)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        for origin in self.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https", "fleet") or not parts.netloc or parts.query or parts.fragment:
                raise ValueError(f"origins: {origin!r} is no base URL such as http://shield.example:8080")

    def _check_numbers(self) -> None:
        rates = ("upload_bytes_per_s", "download_bytes_per_s", "http_floor_bytes_per_s")
        for name in (*rates, "reserve_bytes", "quota_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative (0: none)")
        if not 0 <= self.quota_share <= 1:
            raise ValueError("quota_share must be from 0 to 1 (0: no quota)")
        if not 1 <= self.peers_max <= PEERS_MAX_LIMIT:
            raise ValueError(f"peers_max must be from 1 to {PEERS_MAX_LIMIT}")

    def service_directory(self, service: str) -> str:
        """Where a service's releases and its `current` link are."""
        return os.path.join(self.services[service].root or self.data_directory, service)

    def product(self, service: str) -> str:
        """Whose releases a service runs."""
        return self.services[service].product or service


def node_name(config: Config, disk: Disk, rng: Random) -> str:
    """The configured name of this node, or a random one that is made once and kept in the state directory. Blocks."""
    if config.node:
        return config.node
    path = os.path.join(config.state_directory, "node")
    if disk.stat(path) is not None:
        kept = disk.read_all(path, NODE_BYTES_MAX).decode(errors="replace").strip()
        if kept:
            return kept
    made = f"node-{rng.getrandbits(64):016x}"
    make_durable_directories(disk, config.state_directory)
    disk.replace(path, made.encode() + b"\n")
    return made


def is_paused(config: Config, disk: Disk) -> bool:
    """A person paused the daemon of this state directory, and did not resume it. Blocks."""
    return disk.stat(os.path.join(config.state_directory, "paused")) is not None


def remember_pause(config: Config, disk: Disk, paused: bool) -> None:
    """So that a restart does not end the pause. Blocks; OSError."""
    path = os.path.join(config.state_directory, "paused")
    if paused:
        disk.replace(path, b"")
    else:
        disk.remove_tree(path)
        disk.sync(config.state_directory)
