"""Manifests from peer to peer: what we have we give, what we miss we ask for, part by part."""

from typing import Final

import trio

from manifests.digest import manifest_digest
from p2pd.wire.framing import BLOCK_BYTES_MAX
from p2pd.wire.messages import ManifestPart, ManifestRequest

from .content import Content
from .session import Session

PART_S_MAX: Final = 3.0
"""Until the next part: a peer that takes longer is left for another."""


class ManifestDesk:
    """Answers requests, and carries out our own, one per peer and manifest at a time."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._asked: dict[tuple[Session, bytes], trio.MemorySendChannel[ManifestPart]] = {}

    async def receive(self, session: Session, message: ManifestRequest | ManifestPart) -> None:
        """A request to answer, or a part that we asked for (others are ignored)."""
        if isinstance(message, ManifestRequest):
            session.send(session.connection.plain(await self._answer(session, message)))
            return
        channel = self._asked.get((session, message.swarm))
        if channel is not None:
            try:
                channel.send_nowait(message)
            except trio.WouldBlock:
                session.end("sent more parts of a manifest than it was asked for")

    async def _answer(self, session: Session, request: ManifestRequest) -> ManifestPart:
        """Who may not have the release is told that it is not here."""
        found = None
        if not session.restricted or session.may_have(await self._content.release_name(request.swarm) or ""):
            found = await self._content.read_manifest(request.swarm, request.offset, BLOCK_BYTES_MAX)
        total, data = found or (0, b"")
        return ManifestPart(request.swarm, request.offset, total, data)

    def forget(self, session: Session) -> None:
        """The connection ended: whoever waits for it waits no longer."""
        for key in [key for key in self._asked if key[0] is session]:
            self._asked.pop(key).close()

    async def fetch(self, session: Session, swarm: bytes, length: int) -> bytes | None:
        """The manifest of `length` bytes, verified against its digest; None when this peer can't or won't give it."""
        if (session, swarm) in self._asked:
            return None
        send, receive = trio.open_memory_channel[ManifestPart](1)
        self._asked[session, swarm] = send
        data = bytearray()
        try:
            while len(data) < length:
                session.send(session.connection.plain(ManifestRequest(swarm, len(data))))
                with trio.fail_after(PART_S_MAX):
                    part = await receive.receive()
                if part.total != length or part.offset != len(data) or not part.data:
                    return None
                data += part.data
        except (trio.TooSlowError, trio.EndOfChannel):
            return None
        finally:
            self._asked.pop((session, swarm), None)
            receive.close()
        return bytes(data) if manifest_digest(data) == swarm else None
