"""Peers on the same LAN, without any tracker: we say which swarms we are in, and hear who else is."""

from collections.abc import Callable, Iterable
from typing import Final

import trio

from p2pd.swarm.nearby import Nearby
from p2pd.wire.announce import PeerInfo
from p2pd.wire.lan import Departed, Notice, prefixes_of
from p2pd.world.lan import Lan, LanMember

GATHER_S: Final = 0.1
"""Changes of our swarms this close together are told at once."""
LOOK_S: Final = 10.0
"""How often to see whether discovery is (still) allowed here, and to try again where it failed."""


class LanDesk:
    """`on_news` is called whenever somebody of interest said something new. `allowed` is asked now and then: not on
    networks that are metered or public."""

    def __init__(
        self,
        lan: Lan,
        nearby: Nearby,
        *,
        node: str,
        fleet: str,
        allowed: Callable[[], bool],
        on_news: Callable[[], None],
    ) -> None:
        self.nearby = nearby
        self._lan, self._allowed, self._on_news = lan, allowed, on_news
        self._own = Notice(node, fleet, "")
        self._changed = trio.Event()
        self.problem = ""
        """Why nobody is heard ('' if somebody could be)."""

    def peers(self, swarm: bytes) -> tuple[PeerInfo, ...]:
        """Some of those here that say to be in this swarm."""
        found = self.nearby.in_swarm(swarm)
        return tuple(PeerInfo(one.node, one.address, "", "daemon", False) for one in found)

    def update(self, swarms: Iterable[bytes]) -> None:
        """We are in these swarms now."""
        prefixes = prefixes_of(swarms)
        if prefixes != self._own.prefixes:
            self._own = Notice(self._own.node, self._own.fleet, self._own.address, prefixes)
            self._changed.set()

    async def run(self, address: str) -> None:
        """Be known at `address` (as bound) until cancelled, wherever that is allowed."""
        self._own = Notice(self._own.node, self._own.fleet, address, self._own.prefixes)
        while True:
            self.problem = "" if self._allowed() else "this network is metered or public"
            if not self.problem:
                try:
                    await self._be_known()
                except OSError as error:
                    self.problem = str(error)
                self.nearby.forget()
            await trio.sleep(LOOK_S)

    async def _be_known(self) -> None:
        """Until it is no longer allowed."""
        self._changed = trio.Event()
        async with self._lan.join(self._own) as member, trio.open_nursery() as nursery:
            nursery.start_soon(self._hear, member)
            nursery.start_soon(self._tell, member)
            while self._allowed():  # noqa: ASYNC110 - where we are is asked, nobody tells
                await trio.sleep(LOOK_S)
            nursery.cancel_scope.cancel()

    async def _hear(self, member: LanMember) -> None:
        while True:
            match await member.hear():
                case Departed(service=service):
                    self.nearby.departed(service)
                case (service, notice):
                    if self.nearby.heard(service, notice):
                        self._on_news()

    async def _tell(self, member: LanMember) -> None:
        while True:
            await self._changed.wait()
            await trio.sleep(GATHER_S)
            self._changed = trio.Event()
            await member.tell(self._own)
