"""Manifests from peer to peer: what we have we give, what we miss we ask for, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import trio

from manifests.digest import manifest_digest
from manifests.limits import MANIFEST_BYTES_MAX
from p2pd.wire.framing import BLOCK_BYTES_MAX
from p2pd.wire.messages import ManifestPart, ManifestRequest

from .content import Content
from .session import Session

PART_S_MAX: Final = 3.0
"""Until the next part: a peer that takes longer is left for another."""
EXPANDED_MAX: Final = 32
"""So many times the signed length, at most, has a manifest that comes as a document: who wrote it from edits has no
frame. Paths of a large tree are compressed to a sixteenth."""
EDITS_KEPT: Final = 8
"""Of those made last: all devices of a fleet ask for the same ones, part by part."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a peer gave: the manifest, verified; or edits of `base`, worth what comes of them."""

    data: bytes
    base: bytes = b""


class ManifestDesk:
    """Answers requests, and carries out our own, one per peer and manifest at a time."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._asked: dict[tuple[Session, bytes], trio.MemorySendChannel[ManifestPart]] = {}
        self._edits: dict[tuple[bytes, tuple[bytes, ...]], tuple[bytes, bytes]] = {}

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
        swarm, at = request.swarm, request.offset
        if session.restricted and not session.may_have(await self._content.release_name(swarm) or ""):
            return ManifestPart(swarm, at, 0, b"")
        if (made := await self._made(swarm, request.held)) is not None:
            base, edits = made
            return ManifestPart(swarm, at, len(edits), edits[at : at + BLOCK_BYTES_MAX], base)
        total, data = await self._content.read_manifest(swarm, at, BLOCK_BYTES_MAX) or (0, b"")
        return ManifestPart(swarm, at, total, data)

    async def _made(self, swarm: bytes, held: tuple[bytes, ...]) -> tuple[bytes, bytes] | None:
        if not held:
            return None
        found = self._edits.pop((swarm, held), None) or await self._content.make_edits(swarm, held)
        if found is not None:
            self._edits[swarm, held] = found
            while len(self._edits) > EDITS_KEPT:
                del self._edits[next(iter(self._edits))]
        return found

    def forget(self, session: Session) -> None:
        """The connection ended: whoever waits for it waits no longer."""
        for key in [key for key in self._asked if key[0] is session]:
            self._asked.pop(key).close()

    async def fetch(self, session: Session, swarm: bytes, length: int, held: Sequence[bytes] = ()) -> Brought | None:
        """The manifest that has `length` bytes when published; None when this peer can't or won't give it.

        `held`: digests of manifests that it may be edits of.
        """
        if (session, swarm) in self._asked:
            return None
        send, receive = trio.open_memory_channel[ManifestPart](1)
        self._asked[session, swarm] = send
        data, base, total = bytearray(), b"", -1
        try:
            while len(data) != total:
                session.send(session.connection.plain(ManifestRequest(swarm, len(data), tuple(held))))
                with trio.fail_after(PART_S_MAX):
                    part = await receive.receive()
                if total < 0:
                    base, total = part.base, part.total
                if (part.base, part.total, part.offset) != (base, total, len(data)) or not part.data:
                    return None
                if base not in (b"", *held) or total > _bytes_max(length, edits=bool(base)):
                    return None
                data += part.data
                if len(data) > total:
                    return None
        except (trio.TooSlowError, trio.EndOfChannel):
            return None
        finally:
            self._asked.pop((session, swarm), None)
            receive.close()
        return Brought(bytes(data), base) if base or manifest_digest(data) == swarm else None


def _bytes_max(length: int, *, edits: bool) -> int:
    """Edits are shorter than the manifest, or nobody would make them."""
    return length if edits else min(EXPANDED_MAX * length, MANIFEST_BYTES_MAX)
