"""What Linux knows of a TCP connection, and how it is asked to be gentle.

Offsets are those of `struct tcp_info` (include/uapi/linux/tcp.h), which only ever grows at its end.
"""

import socket
import struct
import sys
from typing import Final

from p2pd.policy.yielding import Transit

_TCP_INFO: Final[int | None] = getattr(socket, "TCP_INFO", None)
_TCP_WINDOW_CLAMP: Final[int | None] = getattr(socket, "TCP_WINDOW_CLAMP", None)
_SO_MAX_PACING_RATE: Final = 47
"""Of asm-generic/socket.h; Python has no name for it."""
_FIELDS: Final = struct.Struct("=68x I 28x I 44x I 40x I")
"""rtt, total_retrans, min_rtt and delivered. Times in microseconds."""
INFO_BYTES: Final = _FIELDS.size
UNLIMITED: Final = 2**32 - 1
LOWER_EFFORT: Final = 0b000001 << 2
"""The DSCP of RFC 8622, as it stands in the IP header."""
PACE_BYTES_PER_S_MIN: Final = 32 * 1024
"""A packet each 45 ms. Slower, what the kernel took already would not have left before we are taken for stalled."""
UNREAD_BYTES: Final = 128 * 1024
"""Enough for 1.3 MB/s over a round trip of 0.1 s. A smaller buffer would do the same, until somebody is not read who
was told of a larger one: what comes then is dropped, and after some such drops they rest for a second."""


def transit(connection: socket.socket, address: str) -> Transit | None:
    """How it fares; None where the kernel does not say."""
    if _TCP_INFO is None or connection.family == socket.AF_UNIX:
        return None
    try:
        known = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, INFO_BYTES)
    except OSError:
        return None
    if len(known) < INFO_BYTES:
        return None
    round_trip_us, resent, shortest_us, delivered = _FIELDS.unpack(known)
    return Transit(
        address,
        round_trip_s=round_trip_us / 1e6,
        shortest_s=min(shortest_us, round_trip_us) / 1e6,
        delivered=delivered,
        resent=resent,
    )


def be_gentle(connection: socket.socket) -> None:
    """Routers that know of it let others go first; and little waits unread, or is on its way, when we read less."""
    if connection.family == socket.AF_INET6:
        _set(connection, socket.IPPROTO_IPV6, socket.IPV6_TCLASS, LOWER_EFFORT)
    elif connection.family == socket.AF_INET:
        _set(connection, socket.IPPROTO_IP, socket.IP_TOS, LOWER_EFFORT)
    if _TCP_WINDOW_CLAMP is not None:
        _set(connection, socket.IPPROTO_TCP, _TCP_WINDOW_CLAMP, UNREAD_BYTES)


def pace(connection: socket.socket, bytes_per_s: float) -> None:
    """Let packets leave evenly, no faster than that, where the kernel can."""
    at_most = round(min(UNLIMITED, max(PACE_BYTES_PER_S_MIN, bytes_per_s)))
    _set(connection, socket.SOL_SOCKET, _SO_MAX_PACING_RATE, at_most.to_bytes(4, sys.byteorder))


def _set(connection: socket.socket, level: int, option: int, value: int | bytes) -> None:
    try:
        connection.setsockopt(level, option, value)
    except OSError:
        pass  # gone, or a kernel that can't: the caps still hold
