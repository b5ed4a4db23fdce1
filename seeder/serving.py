"""`p2p-seeder serve`: a seeder on this machine, until a signal."""

import json
import os
import signal
from argparse import Namespace
from collections.abc import Callable
from math import inf

import trio

from manifests.blobs import BlobStore
from manifests.console import EXIT_OK, Console, UsageError
from p2pd.settings import load
from p2pd.world import World
from p2pd.world.real import real_world
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
    blobs = BlobStore(config.store)

    def ready(running: Running) -> None:
        print(json.dumps({"ready": True, "http": running.http_address, "listen": running.peer_address}), flush=True)
        console.note(f"p2p-seeder: ready, serving http://{running.http_address}")

    try:
        run_trio(serve_until_signal, config, real_world(threads_max=config.origin_requests_max), blobs, ready)
    except CacheInUse as error:
        raise UsageError(str(error)) from error
    return EXIT_OK


async def serve_until_signal(
    config: SeederConfig, world: World, blobs: Blobs, ready: Callable[[Running], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then end gracefully within `stop_s`; a second signal ends it at once."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            running = await nursery.start(_run_to_the_end, config, world, blobs, nursery.cancel_scope)
            ready(running)
            async for _ in signals:
                running.stop()
                again = nursery.cancel_scope.deadline < inf
                nursery.cancel_scope.deadline = -inf if again else trio.current_time() + config.stop_s


async def _run_to_the_end(
    config: SeederConfig,
    world: World,
    blobs: Blobs,
    scope: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[Running],
) -> None:
    await run(config, world, blobs, task_status=task_status)
    scope.cancel()
