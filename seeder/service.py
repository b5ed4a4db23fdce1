"""A seeder, put together: the composition root.

run
├── shield          its fetches; outlives all doors
└── doors           each takes objects from the shield
    ├── http        plain HTTP
    └── …           further doors are started here, in `_open_doors`
"""

from collections.abc import Callable
from dataclasses import dataclass

import trio

from manifests.blobs import chunk_path
from manifests.manifest import Manifest
from p2pd.httpserver import HttpServer, Limits
from p2pd.world import World

from .config import SeederConfig
from .http import HttpDoor
from .shield.shield import Blobs, NotServed, Shield, ShieldConfig


@dataclass(frozen=True)
class Running:
    """A seeder that serves. `http_address`: as bound. `stop`: end gracefully; `run` returns when all answers left."""

    http_address: str
    shield: Shield
    stop: Callable[[], None]


async def run(
    config: SeederConfig,
    world: World,
    blobs: Blobs,
    *,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until stopped or cancelled. OSError when an address is taken; CacheInUse."""
    async with trio.open_nursery() as nursery:
        limits = ShieldConfig(
            config.cache_directory, config.cache_bytes, config.memory_bytes, config.origin_requests_max
        )
        shield = Shield(world, blobs, limits, nursery)
        await nursery.start(shield.open)
        await _open_doors(config, world, shield, task_status)
        nursery.cancel_scope.cancel()


async def _open_doors(
    config: SeederConfig, world: World, shield: Shield, task_status: trio.TaskStatus[Running]
) -> None:
    """Serve through every door until the HTTP server has been stopped and has answered everybody."""
    server = HttpServer(
        utc_now=world.utc_now,
        limits=Limits(connections_max=config.connections_max, head_s=config.idle_s),
    )
    door = HttpDoor(shield, server.snapshot)
    listener = await world.network.listen(config.http_listen)
    async with trio.open_nursery() as doors:
        # The peer wire and the announcer belong here: doors.start_soon(...); read_piece is what the wire serves from.
        task_status.started(Running(listener.address, shield, server.stop))
        await server.serve(listener, door.handle)
        doors.cancel_scope.cancel()


async def read_piece(shield: Shield, manifest: Manifest, piece: int) -> bytes | None:
    """A piece's bytes, verified, for the peer wire; None when it can't be had now."""
    try:
        data = await shield.get(chunk_path(manifest.digest(piece)))
    except NotServed:
        return None
    shield.count_served("peer", len(data))
    return data
