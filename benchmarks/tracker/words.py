"""What a host says to a tracker, encoded beforehand. Pure."""

from dataclasses import dataclass
from typing import Final

from p2pd.policy.announcing import PEERS_REFRESHED, PEERS_WANTED
from p2pd.wire.announce import Announce, Register, SeedersRequest, SwarmStatus, Watch
from p2pd.wire.codec import encode
from p2pd.wire.messages import PROTOCOL_VERSION

FLEET: Final = "bench"
REGION: Final = "here"
SERVICE: Final = "library"
SWARM: Final = bytes(range(32))
PIECES: Final = 2_560
ANSWERED: Final = b"\xa7renewed"
"""In the last message of the answer to an announce, as MessagePack has its name."""
PER_NETWORK: Final = 250
"""Addresses used of 256, here and in the byte before."""


@dataclass(frozen=True)
class Words:
    """What one host says: first of all; when it has all of a release; when it is half-way; when it knows nobody yet."""

    first: bytes
    idle: bytes
    busy: bytes
    newcomer: bytes


def words_of(number: int) -> Words:
    """What a daemon sends: who it is, its questions and its first announce; later nothing but announces."""
    register = Register(PROTOCOL_VERSION, FLEET, name_of(number), REGION, "daemon", f"{address_of(number)}:8490")
    first = encode(register) + encode(Watch((SERVICE,), 0)) + encode(SeedersRequest())
    idle = encode(Announce((SwarmStatus(SWARM, PIECES, PIECES),)))
    busy = encode(Announce((SwarmStatus(SWARM, number % PIECES, PIECES, PEERS_REFRESHED),)))
    newcomer = encode(Announce((SwarmStatus(SWARM, number % PIECES, PIECES, PEERS_WANTED),)))
    return Words(first + idle, idle, busy, newcomer)


def name_of(number: int) -> str:
    """A node's."""
    return f"host-{number}"


def address_of(number: int) -> str:
    """One in 127.0.0.0/8 for each host: they are as many sources as they would be."""
    rest, last = divmod(number, PER_NETWORK)
    second, third = divmod(rest, PER_NETWORK)
    return f"127.{1 + second}.{third}.{1 + last}"
