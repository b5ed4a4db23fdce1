"""The authority in this process: its desk answers requests, and its revocations are told as they are made."""

import logging
from collections.abc import Callable
from typing import Final, NoReturn

import trio

from p2pd.tracker_link import RefusedError
from p2pd.wire.announce import Certify
from p2pd.world import World
from tracker.errors import RefusalError, StoreError

from .desk import Desk

LOOK_S: Final = 2.0
"""How often to look whether `p2p-tracker ca revoke` took something back."""
log = logging.getLogger(__name__)


class LocalAuthority:
    """`p2pd.joining.Authority` by a desk."""

    def __init__(self, desk: Desk, world: World) -> None:
        self.desk = desk
        self._world = world

    def __repr__(self) -> str:
        return f"<LocalAuthority {self.desk!r}>"

    async def certify(self, message: Certify) -> tuple[bytes, ...]:
        """The chain; RefusedError, or OSError when the ledger fails."""
        try:
            answer = await self._world.run_blocking(self.desk.certify, message, self._world.utc_now())
        except RefusalError as error:
            raise RefusedError(str(error)) from error
        except StoreError as error:
            raise OSError(str(error)) from error
        return answer.chain

    async def watch(self, told: Callable[[tuple[bytes, ...]], None]) -> NoReturn:
        """Tell all revocation lists now and whenever they change, until cancelled."""
        known: tuple[bytes, ...] = ()
        while True:
            try:
                lists = await self._world.run_blocking(self.desk.revocations, self._world.utc_now())
            except StoreError as error:
                log.error("revocations can't be read: %s", error)
            else:
                if lists != known:
                    known = lists
                    told(lists)
            await trio.sleep(LOOK_S)
