"""What a tracker names to a node: peers of a swarm, who brings pieces in from outside, and origin shields."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .fields import Count, Name, Text, TrackerMessage
from .messages import SWARM_ID_BYTES

PEERS_MAX: Final = 64
"""Peers in one handout: twice the degree that a swarm needs."""
COPIES_MAX: Final = 1_000.0
"""Of a release, into a region."""

SwarmId = Annotated[bytes, Meta(min_length=SWARM_ID_BYTES, max_length=SWARM_ID_BYTES)]


class PeerInfo(msgspec.Struct, frozen=True, array_like=True):
    """A peer to dial. `role` is daemon or seeder; `http_url` is a seeder's plain HTTP. `webrtc`: can be written to."""

    node: Name
    address: Name
    region: Name
    role: Name
    complete: bool
    http_url: Text = ""
    webrtc: bool = False


class Importing(msgspec.Struct, frozen=True, array_like=True):
    """Who brings pieces into the asker's zone or rack, and how many copies may come."""

    level: Annotated[str, Meta(pattern="^(zone|rack)$")]
    importers: Annotated[tuple[Name, ...], Meta(max_length=PEERS_MAX)]
    copies: Annotated[float, Meta(ge=0, le=COPIES_MAX)]


class Handout(TrackerMessage, frozen=True, tag="handout"):
    """Peers of one swarm. `importers`: who of the asker's region brings in what the region lacks, itself perhaps
    (nobody: everybody does). `copies`: of the release, that may come into the region; 0: any number. `holders`: how
    many others have all of it and can be dialled. `inner`: the same of its zone and rack, where anything is asked."""

    swarm: SwarmId
    peers: Annotated[tuple[PeerInfo, ...], Meta(max_length=PEERS_MAX)]
    importers: Annotated[tuple[Name, ...], Meta(max_length=PEERS_MAX)] = ()
    copies: Annotated[float, Meta(ge=0, le=COPIES_MAX)] = 0.0
    holders: Count = 0
    inner: Annotated[tuple[Importing, ...], Meta(max_length=2)] = ()


class SeedersRequest(TrackerMessage, frozen=True, tag="seeders?"):
    """Which origin shields serve my region?"""


class Seeders(TrackerMessage, frozen=True, tag="seeders"):
    """The answer: nearest first. `version`: of the tracker's list, which counts up whenever that changes."""

    seeders: Annotated[tuple[PeerInfo, ...], Meta(max_length=PEERS_MAX)]
    version: Count = 0
