"""Our end of a WebRTC channel: a connection like any other, but that its way is measured and held elsewhere."""

from typing import Final, Protocol

import trio

from p2pd.policy.yielding import Transit

from .tcp import TcpSocket, detached

TSN_MODULO: Final = 2**32
"""Packets are numbered so far (RFC 9260, 1.6)."""


class Joint(Protocol):
    """Carries bytes between the channel and the local socket, in a thread of its own."""

    def fares(self) -> tuple[float | None, int]:
        """A mean of round trips in seconds, in which each new one counts an eighth (None before the first), and the
        number of the last packet that the other side has."""
        ...

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """Let little wait in the channel."""
        ...


class RtcSocket(TcpSocket):
    """Over a local socket whose other end is joined to the channel. `number`: tells the channels apart."""

    def __init__(self, stream: trio.SocketStream, joint: Joint, number: int) -> None:
        super().__init__(detached(stream), "webrtc:0")
        self._joint, self._number = joint, number
        _, self._first = joint.fares()
        self._shortest_s = float("inf")

    def transit(self) -> Transit | None:
        """How the channel fares; what it sends again it does not tell."""
        mean_s, last = self._joint.fares()
        if mean_s is None:
            return None
        self._shortest_s = min(self._shortest_s, mean_s)
        return Transit(f"webrtc-{self._number}:0", mean_s, self._shortest_s, (last - self._first) % TSN_MODULO, 0)

    def hold_to(self, upload_bytes_per_s: float) -> None:
        """The caps see to the rate; what was taken before they shrank is what is left to hold."""
        self._joint.hold_to(upload_bytes_per_s)
