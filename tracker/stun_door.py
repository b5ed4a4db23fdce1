"""The UDP door at which peers are told their own addresses."""

from typing import NoReturn

import trio
import trio.lowlevel

from p2pd.world.address import join_address, split_address

from .stun import DATAGRAM_BYTES_MAX, respond


async def serve(address: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> NoReturn:
    """Answer at `host:port` until cancelled; started with the address as bound. OSError when it is taken."""
    host, port = split_address(address)
    family = trio.socket.AF_INET6 if ":" in host else trio.socket.AF_INET
    with trio.socket.socket(family, trio.socket.SOCK_DGRAM) as door:
        await door.bind((host, port))
        bound_host, bound_port = door.getsockname()[:2]
        task_status.started(join_address(bound_host, bound_port))
        while True:
            try:
                datagram, (asker, asker_port, *_) = await door.recvfrom(DATAGRAM_BYTES_MAX)
                answer = respond(datagram, asker, asker_port)
                if answer is not None:
                    await door.sendto(answer, (asker, asker_port))
            except OSError:
                await trio.lowlevel.checkpoint()  # a forged asker may be anywhere, and so nowhere
