"""What a node says of itself on its LAN: a DNS-SD service, its facts in TXT strings of at most 255 bytes.

| TXT key | value |
|---|---|
| `v` | 1 |
| `node`, `fleet` | UTF-8, up to 128 characters |
| `h0` … `h7` | the first 8 bytes of the names of swarms that it is in, up to 30 in each |

Anybody on the LAN may say anything: a notice is a hint whom to dial, and proves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .announce import NAME_CHARS_MAX

SERVICE: Final = "_p2pd._tcp.local."
VERSION: Final = b"1"
PREFIX_BYTES: Final = 8
"""Of a swarm's name (32 bytes): a stranger's swarm is taken for ours once in 2**64, and then only dialled in vain."""
PREFIXES_IN_STRING: Final = 30
STRINGS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Notice:
    """A node at `address` (`host:port`) that is in the swarms whose names begin with `prefixes`."""

    node: str
    fleet: str
    address: str
    prefixes: frozenset[bytes] = frozenset()

    def holds(self, swarm: bytes) -> bool:
        """Does it say to be in this swarm?"""
        return swarm[:PREFIX_BYTES] in self.prefixes


@dataclass(frozen=True, slots=True)
class Departed:
    """The service of this name said goodbye, or was not heard of for too long."""

    service: str


def prefixes_of(swarms: Iterable[bytes]) -> frozenset[bytes]:
    """What is told of these swarms: of too many, those first named."""
    known = dict.fromkeys(swarm[:PREFIX_BYTES] for swarm in swarms)
    return frozenset(list(known)[: PREFIXES_IN_STRING * STRINGS_MAX])


def to_properties(notice: Notice) -> dict[str, bytes]:
    """Its TXT strings."""
    properties = {"v": VERSION, "node": notice.node.encode(), "fleet": notice.fleet.encode()}
    prefixes = sorted(notice.prefixes)
    for number, start in enumerate(range(0, len(prefixes), PREFIXES_IN_STRING)):
        properties[f"h{number}"] = b"".join(prefixes[start : start + PREFIXES_IN_STRING])
    return properties


def from_properties(address: str, properties: Mapping[bytes, bytes | None]) -> Notice | None:
    """The notice in TXT strings that anybody may have sent; None when they are none of ours."""
    node, fleet = _name(properties.get(b"node")), _name(properties.get(b"fleet"))
    if properties.get(b"v") != VERSION or not node or not fleet:
        return None
    prefixes = set[bytes]()
    for number in range(STRINGS_MAX):
        packed = properties.get(b"h%d" % number) or b""
        whole = len(packed) - len(packed) % PREFIX_BYTES
        prefixes.update(packed[at : at + PREFIX_BYTES] for at in range(0, whole, PREFIX_BYTES))
    return Notice(node, fleet, address, frozenset(prefixes))


def _name(value: bytes | None) -> str:
    try:
        text = (value or b"").decode()
    except UnicodeDecodeError:
        return ""
    return text if len(text) <= NAME_CHARS_MAX and text.isprintable() else ""
