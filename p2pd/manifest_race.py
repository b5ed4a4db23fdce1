"""How a manifest is obtained: from a peer or by HTTP, whoever brings it first, tried until it comes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from manifests.limits import MANIFEST_BYTES_MAX
from p2pd.exchange import Exchange
from p2pd.origin import OriginError
from p2pd.origins import Origins
from p2pd.wire.announce import PeerInfo

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


@dataclass(slots=True, eq=False)
class Wanted:
    """A manifest that is looked for. `waits_for`: why it does not come."""

    swarm: bytes
    length: int
    waits_for: str = ""


class ManifestRace:
    """`wanted`: what is looked for now, by swarm. `known_peers`: of a swarm, nearest first, shields last."""

    def __init__(
        self, exchange: Exchange, origins: Origins, known_peers: Callable[[bytes], Sequence[PeerInfo]]
    ) -> None:
        self._exchange, self._origins, self._known_peers = exchange, origins, known_peers
        self.wanted: dict[bytes, Wanted] = {}
        self._handouts: dict[bytes, trio.Event] = {}

    def on_handout(self, swarm: bytes) -> None:
        """The tracker named peers."""
        if swarm in self._handouts:
            self._handouts[swarm].set()

    async def run(self, swarm: bytes, length: int, announce: Callable[[], None]) -> bytes:
        """The manifest's bytes, verified. `announce` lets the tracker know what is wanted."""
        wanted = self.wanted[swarm] = Wanted(swarm, length)
        handout = self._handouts[swarm] = trio.Event()
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
            for peer in self._known_peers(wanted.swarm)[:MANIFEST_PEERS]:
                session = await self._exchange.neighbours.reach(peer)
                if session is None:
                    continue
                encoded = await self._exchange.manifests.fetch(session, wanted.swarm, wanted.length)
                if encoded is not None:
                    send.send_nowait(encoded)
                    return
            asked.set()
            await trio.sleep(RETRY_S)

    async def _by_http(self, wanted: Wanted, send: trio.MemorySendChannel[bytes], asked: trio.Event) -> None:
        """Once the peers were asked, or take too long."""
        with trio.move_on_after(MANIFEST_PEERS_S):
            await asked.wait()
        while True:
            try:
                send.send_nowait(await self._origins.present.fetch_manifest(wanted.swarm, wanted.length))
                return
            except OriginError as error:
                wanted.waits_for = f"the manifest: no peer gives it, and by HTTP: {error.reason}"
                now = trio.current_time()
                await trio.sleep_until(min(max(error.retry_at, now + RETRY_S), now + RETRY_S_MAX))
