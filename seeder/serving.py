"""`p2p-seeder serve`: a seeder on this machine, until a signal."""

import json
import os
import signal
import socket
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from math import inf

import trio

from manifests.blobs import BlobStore
from manifests.console import EXIT_OK, Console, UsageError
from p2pd.identity.flags import with_flags
from p2pd.member import Entry, fleet_network, with_proven_names
from p2pd.settings import load
from p2pd.world import World
from p2pd.world.memory import keep_freed
from p2pd.world.network import Network
from p2pd.world.real import real_world
from p2pd.world.real_network import RealNetwork
from p2pd.world.running import run_trio

from .config import SeederConfig
from .service import Running, run
from .shield.files import CacheInUse
from .shield.shield import Blobs


def serve(arguments: Namespace, console: Console, flags: tuple[str, ...]) -> int:
    """Serve by file, environment and the flags of these names, until SIGTERM or SIGINT."""
    given = {name: getattr(arguments, name) for name in flags}
    if given["cache_directory"]:
        given["cache_directory"] = os.path.abspath(given["cache_directory"])
    config = load(SeederConfig, path=arguments.config, environment=os.environ, prefix="P2P_SEEDER", overrides=given)
    config = replace(config, identity=with_flags(config.identity, arguments))
    blobs = BlobStore(config.store)

    def ready(running: Running) -> None:
        said = {"http": running.http_address, "listen": running.peer_address, "local": running.local_address}
        print(json.dumps({"ready": True} | said), flush=True)
        console.note(f"p2p-seeder: ready, serving HTTP at {running.http_address}")

    keep_freed()
    try:
        run_trio(_serve_as_member, config, blobs, ready, console.note)
    except CacheInUse as error:
        raise UsageError(str(error)) from error
    return EXIT_OK


async def _serve_as_member(
    config: SeederConfig, blobs: Blobs, ready: Callable[[Running], None], tell: Callable[[str], None]
) -> None:
    node = config.node or f"seeder-{socket.gethostname()}"
    entry = Entry(config.identity, config.state_directory, config.insecure, "seeder", node, config.tracker)
    async with fleet_network(entry, tell) as network:
        config = with_proven_names(config, network)
        world = real_world(network, threads_max=config.origin_requests_max)
        await serve_until_signal(config, world, blobs, ready, RealNetwork())


async def serve_until_signal(
    config: SeederConfig,
    world: World,
    blobs: Blobs,
    ready: Callable[[Running], None],
    local: Network | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then end gracefully within `stop_s`; a second signal ends it at once."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            running = await nursery.start(_run_to_the_end, config, world, blobs, local, nursery.cancel_scope)
            ready(running)
            async for _ in signals:
                running.stop()
                again = nursery.cancel_scope.deadline < inf
                nursery.cancel_scope.deadline = -inf if again else trio.current_time() + config.stop_s


async def _run_to_the_end(
    config: SeederConfig,
    world: World,
    blobs: Blobs,
    local: Network | None,
    scope: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[Running],
) -> None:
    await run(config, world, blobs, local=local, task_status=task_status)
    scope.cancel()
