"""The machine, as a World."""

import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from . import World, surroundings
from .coalescing import Coalescing
from .network import Network
from .real_disk import RealDisk
from .real_network import RealNetwork
from .real_processes import RealProcesses
from .tcp import Adopting
from .workers import Workers

if TYPE_CHECKING:
    import httpx

    from .lan import Lan
    from .rtc import Rtc

utc_now: Final[Callable[[], float]] = time.time
STORAGE_THREADS: Final = 2
"""Hashing and writing release the interpreter's lock; more threads than this only queue for it."""


def real_world(network: Network | None = None, *, threads_max: int = STORAGE_THREADS) -> World:
    """Sockets, disk, processes, clock and dice of this machine. `threads_max`: blocking jobs at once.

    `network`: how the fleet is reached; None: in plain TCP, on this machine only.
    """
    network = network or RealNetwork()
    return World(
        network=network,
        disk=RealDisk(),
        processes=RealProcesses(),
        http=partial(_http, network),
        utc_now=utc_now,
        rng=Random(),
        run_blocking=Workers(threads_max),
        lan=_lan,
        rtc=partial(_rtc, network) if isinstance(network, Adopting) else None,
        look=surroundings.look,
        coalesce=Coalescing(),
    )


def _lan() -> "Lan":
    from .real_lan import DnsSd  # loaded when first used: zeroconf costs 24 MB

    return DnsSd()


def _rtc(network: Adopting, stun: tuple[str, ...]) -> "Rtc":
    from .real_rtc import RealRtc  # loaded when first used: aiortc costs 60 MB

    return RealRtc(network.adopt, stun)


def _http(network: Network) -> "httpx.AsyncClient":
    from .http import client  # loaded when first used: httpx costs 10 MB

    return client(fleet=network)
