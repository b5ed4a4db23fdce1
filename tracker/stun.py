"""STUN: tells a peer its own address as seen from here (RFC 8489, Binding only). Pure.

So two peers behind address translation learn where the other can be reached. An answer has at most 44 bytes, for a
question of at least 20, so it is of no use for amplification; whoever forges the question's sender gains nothing else.
"""

import ipaddress
import struct
from typing import Final

MAGIC: Final = 0x2112A442
BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
XOR_MAPPED_ADDRESS: Final = 0x0020
HEAD: Final = struct.Struct(">HHI12s")
"""Type, length of what follows, magic cookie, transaction."""
DATAGRAM_BYTES_MAX: Final = 1_500


def respond(datagram: bytes, host: str, port: int) -> bytes | None:
    """The answer to what came from `host:port`; None for anything but a Binding request."""
    if not HEAD.size <= len(datagram) <= DATAGRAM_BYTES_MAX:
        return None
    kind, length, magic, transaction = HEAD.unpack_from(datagram)
    if (kind, magic) != (BINDING_REQUEST, MAGIC) or length != len(datagram) - HEAD.size:
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    mask = struct.pack(">I", MAGIC) + transaction
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    value = struct.pack(">BBH", 0, family, port ^ (MAGIC >> 16)) + hidden
    attribute = struct.pack(">HH", XOR_MAPPED_ADDRESS, len(value)) + value
    return HEAD.pack(BINDING_SUCCESS, len(attribute), MAGIC, transaction) + attribute
