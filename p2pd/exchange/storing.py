"""Writing verified pieces where there may be no room: wait for it, and ask for nothing meanwhile."""

from typing import TYPE_CHECKING, Final

import trio

from .content import Content, StorageError
from .membership import Membership

if TYPE_CHECKING:
    from .exchange import Exchange

STORAGE_RETRY_S: Final = 2.0


async def store_piece(
    exchange: "Exchange", content: Content, membership: Membership, source: str, piece: int, data: bytes
) -> bool:
    """Write a piece. The first that can't be written is tried until it can: then there is room, and asking goes on.

    What was asked for before and comes meanwhile is given up (False): it would only fill the memory. So is everything
    once we left the swarm. DigestMismatchError when it is not the piece.
    """
    brain, waits = membership.brain, False
    while True:
        try:
            await content.write_piece(membership.swarm, piece, data, source)
            break
        except StorageError as error:
            brain.pause()
            exchange.settle(membership)
            if membership.problem and not waits:
                return False
            waits, membership.problem = True, str(error)
        await trio.sleep(STORAGE_RETRY_S)
        if exchange.memberships.get(membership.swarm) is not membership:
            return False
    if waits:
        membership.problem = ""
        if not membership.paused:
            brain.resume(trio.current_time())
    return True
