"""How a manifest is obtained: from a peer or by HTTP, whoever brings it first, tried until it comes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from manifests import edits
from manifests.errors import MalformedManifestError
from manifests.limits import MANIFEST_BYTES_MAX
from p2pd.exchange import Exchange
from p2pd.exchange.session import Session
from p2pd.origin import OriginError
from p2pd.origins import Origins
from p2pd.wire.announce import PeerInfo
from p2pd.world import RunBlocking

MANIFEST_PEERS: Final = 3
"""Peers asked for a manifest before HTTP is."""
HANDOUT_S_MAX: Final = 0.1
"""How long to wait for the tracker to name peers, who are asked before a shield is: it answers within a round trip, and
while it can't, nobody shall wait for it."""
MANIFEST_PEERS_S: Final = 1.0
"""Peers get this long to bring a manifest before HTTP is asked as well: dead ones must not hold the start up."""
RETRY_S: Final = 2.0
RETRY_S_MAX: Final = 10.0
"""Other sources may be named meanwhile."""


@dataclass(frozen=True, slots=True)
class Held:
    """A manifest that is here, verified, and may be what another is edits of. `stored`: such edits lie in the store."""

    digest: bytes
    encoded: bytes
    stored: bool = False


@dataclass(slots=True, eq=False)
class Wanted:
    """A manifest that is looked for. `waits_for`: why it does not come. `held`: what it may be edits of; `peers`: the
    swarm whose peers have it."""

    swarm: bytes
    length: int
    peers: bytes
    held: tuple[Held, ...] = ()
    waits_for: str = ""


@dataclass(slots=True)
class Counts:
    """Since this daemon began."""

    whole_bytes: int = 0
    """Of manifests (and small packs) that came whole."""
    edits_bytes: int = 0
    """Of those that came as edits."""
    saved_bytes: int = 0
    """What these would have taken beyond that."""
    refused_edits: int = 0
    """Edits that led to no such manifest."""


class ManifestRace:
    """`wanted`: what is looked for now, by swarm. `known_peers`: of a swarm, nearest first, shields last."""

    def __init__(
        self,
        exchange: Exchange,
        origins: Origins,
        known_peers: Callable[[bytes], Sequence[PeerInfo]],
        run_blocking: RunBlocking,
    ) -> None:
        self._exchange, self._origins, self._known_peers = exchange, origins, known_peers
        self._run_blocking = run_blocking
        self.wanted: dict[bytes, Wanted] = {}
        self.counts = Counts()
        self._handouts: dict[bytes, trio.Event] = {}

    @property
    def announced(self) -> list[bytes]:
        """Swarms that are looked for, of which the tracker names the peers."""
        return [swarm for swarm, wanted in self.wanted.items() if wanted.peers == swarm]

    def on_handout(self, swarm: bytes) -> None:
        """The tracker named peers."""
        if swarm in self._handouts:
            self._handouts[swarm].set()

    async def run(
        self, swarm: bytes, length: int, announce: Callable[[], None], *, held: Sequence[Held] = (), like: bytes = b""
    ) -> bytes:
        """The manifest's bytes, verified. `announce` lets the tracker know what is wanted. `like`: the swarm whose
        peers, known already, have it."""
        wanted = self.wanted[swarm] = Wanted(swarm, length, like or swarm, tuple(held))
        handout = self._handouts[swarm] = trio.Event()
        if like:
            handout.set()
        announce()
        send, receive = trio.open_memory_channel[bytes](2)
        asked = trio.Event()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._from_peers, wanted, handout, send, asked)
                nursery.start_soon(self._by_http, wanted, send, asked)
                encoded = await receive.receive()
                nursery.cancel_scope.cancel()
        finally:
            del self.wanted[swarm], self._handouts[swarm]
        return encoded

    async def find(self, swarm: bytes) -> bytes | None:
        """A manifest of which only the digest is known, by HTTP and now; None if it is not to be had so."""
        try:
            return await self._origins.present.find_manifest(swarm, MANIFEST_BYTES_MAX)
        except OriginError:
            return None

    async def _from_peers(
        self, wanted: Wanted, handout: trio.Event, send: trio.MemorySendChannel[bytes], asked: trio.Event
    ) -> None:
        """`asked` is set when none of those known had it."""
        with trio.move_on_after(HANDOUT_S_MAX):
            await handout.wait()
        while True:
            peers = self._known_peers(wanted.peers)[:MANIFEST_PEERS]
            for peer in peers[1:]:
                self._exchange.spawn(self._exchange.neighbours.reach, peer)  # all are dialled at once
            for peer in peers:
                session = await self._exchange.neighbours.reach(peer)
                encoded = await self._from_peer(session, wanted) if session is not None else None
                if encoded is not None:
                    send.send_nowait(encoded)
                    return
            asked.set()
            await trio.sleep(RETRY_S)

    async def _from_peer(self, session: Session, wanted: Wanted) -> bytes | None:
        held = [one.digest for one in wanted.held]
        brought = await self._exchange.manifests.fetch(session, wanted.swarm, wanted.length, held)
        if brought is None or not brought.base:
            self.counts.whole_bytes += len(brought.data) if brought else 0
            return brought.data if brought else None
        old = next(one for one in wanted.held if one.digest == brought.base)
        return await self._edited(wanted, old, brought.data)

    async def _by_http(self, wanted: Wanted, send: trio.MemorySendChannel[bytes], asked: trio.Event) -> None:
        """Once the peers were asked, or take too long."""
        with trio.move_on_after(MANIFEST_PEERS_S):
            await asked.wait()
        encoded = await self._edits_by_http(wanted)
        while encoded is None:
            try:
                encoded = await self._origins.present.fetch_manifest(wanted.swarm, wanted.length)
                self.counts.whole_bytes += len(encoded)
            except OriginError as error:
                wanted.waits_for = f"the manifest: no peer gives it, and by HTTP: {error.reason}"
                now = trio.current_time()
                await trio.sleep_until(min(max(error.retry_at, now + RETRY_S), now + RETRY_S_MAX))
        send.send_nowait(encoded)

    async def _edits_by_http(self, wanted: Wanted) -> bytes | None:
        """From the newest of those that the store has some from; once, for the whole is to be had, too."""
        old = next((one for one in wanted.held if one.stored), None)
        if old is None:
            return None
        try:
            data = await self._origins.present.fetch_edits(wanted.swarm, old.digest, wanted.length)
        except OriginError:
            return None
        return await self._edited(wanted, old, data)

    async def _edited(self, wanted: Wanted, old: Held, data: bytes) -> bytes | None:
        """What edits lead to; None, and no more of them, if it is not the manifest: who gave them lies, or we have a
        fault of our own."""
        try:
            encoded = await self._run_blocking(edits.apply, old.encoded, data, wanted.swarm)
        except MalformedManifestError:
            self.counts.refused_edits += 1
            wanted.held = ()
            return None
        self.counts.edits_bytes += len(data)
        self.counts.saved_bytes += wanted.length - len(data)
        return encoded
