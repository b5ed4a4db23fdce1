"""A seeder, put together: the composition root.

run
├── shield          its fetches; outlives all doors
└── doors           each takes objects from the shield
    ├── http        plain HTTP
    ├── wire        the peer wire: a permanent seed of everything
    └── announcer   tells the trackers where we are
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from p2pd.announcer import Announcer, Heard
from p2pd.exchange import Exchange, Node
from p2pd.httpserver import HttpServer, Limits
from p2pd.wire.announce import Register, Revoked
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world import World
from p2pd.world.demanding import TRACKERS, Demanding
from p2pd.world.network import Network

from .config import SeederConfig
from .http import HttpDoor
from .shield.shield import Blobs, Shield, ShieldConfig
from .wire import PeerDoor

LOCAL_CONNECTIONS_MAX: Final = 64
"""A web server in front of us, Prometheus, and a person."""


@dataclass(frozen=True)
class Running:
    """A seeder that serves. `http_address`: as bound. `peer_address`: where peers dial, '' if nowhere; `local_address`:
    where this machine's own HTTP is. `exchange`: the peer wire's, None without it.

    `stop`: end gracefully; `run` returns when all answers have left.
    """

    http_address: str
    peer_address: str
    local_address: str
    shield: Shield
    stop: Callable[[], None]
    exchange: Exchange | None


async def run(
    config: SeederConfig,
    world: World,
    blobs: Blobs,
    *,
    local: Network | None = None,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until stopped or cancelled. `local`: the network of `local_listen`. OSError when an address is taken;
    CacheInUse."""
    async with trio.open_nursery() as nursery:
        limits = ShieldConfig(
            config.cache_directory, config.cache_bytes, config.memory_bytes, config.origin_requests_max
        )
        shield = Shield(world, blobs, limits, nursery)
        await nursery.start(shield.open)
        await _open_doors(config, world, shield, local, task_status)
        nursery.cancel_scope.cancel()


async def _open_doors(
    config: SeederConfig,
    world: World,
    shield: Shield,
    local: Network | None,
    task_status: trio.TaskStatus[Running],
) -> None:
    """Serve through every door until the HTTP server has been stopped and has answered everybody."""
    server = HttpServer(
        utc_now=world.utc_now,
        limits=Limits(connections_max=config.connections_max, head_s=config.idle_s),
    )
    door = HttpDoor(shield, server.snapshot)
    listener = await world.network.listen(config.http_listen)
    async with trio.open_nursery() as doors:
        local_address = ""
        if local is not None and config.local_listen:
            own = await local.listen(config.local_listen)
            local_address = own.address
            beside = HttpServer(utc_now=world.utc_now, limits=Limits(connections_max=LOCAL_CONNECTIONS_MAX))
            doors.start_soon(beside.serve, own, door.handle)
        http_url = config.http_url or f"{world.network.url_scheme}://{listener.address}"
        peer_address, exchange = await _open_peer_door(config, world, shield, http_url, doors)
        task_status.started(Running(listener.address, peer_address, local_address, shield, server.stop, exchange))
        await server.serve(listener, door.handle)
        doors.cancel_scope.cancel()


async def _open_peer_door(
    config: SeederConfig, world: World, shield: Shield, http_url: str, doors: trio.Nursery
) -> tuple[str, Exchange | None]:
    """Seed on the peer wire, and let the trackers know; the address that peers dial, '' without that door."""
    exchange, address, name = None, "", config.node or f"seeder-{world.rng.getrandbits(64):016x}"
    if config.listen:
        door = PeerDoor(world, shield, Node(name, config.fleet, config.region, "seeder"))
        address = await doors.start(door.serve, config.listen, config.advertise)
        exchange = door.exchange
    if config.tracker:
        register = Register(PROTOCOL_VERSION, config.fleet, name, config.region, "seeder", address, http_url)
        network = Demanding(world.network, TRACKERS)
        announcer = Announcer(network, config.tracker, register, world.rng, partial(_heard, world))
        doors.start_soon(announcer.run)
    return address, exchange


def _heard(world: World, message: Heard) -> None:
    if isinstance(message, Revoked):
        world.network.revoke([message.list])
