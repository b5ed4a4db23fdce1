"""`p2p-tracker serve`: a tracker on this machine, until a signal."""

import json
import logging
import os
import signal
from argparse import Namespace

import trio

from manifests.console import EXIT_OK, CommandError, Console, UsageError
from manifests.errors import SigningError
from p2pd.settings import load
from p2pd.world.real import real_world

from .config import STATE_FILE, TrackerConfig
from .errors import StoreError
from .service import run
from .store import Store


def serve(arguments: Namespace, console: Console, flags: tuple[str, ...]) -> int:
    """Serve by file, environment and the flags of these names, until SIGTERM or SIGINT."""
    given = {name: getattr(arguments, name) for name in flags}
    config = load(TrackerConfig, path=arguments.config, environment=os.environ, prefix="P2P_TRACKER", overrides=given)
    if not config.state_directory:
        raise UsageError("state_directory: where should the goals be kept? set it, or give --state-directory")
    logging.basicConfig(level=logging.WARNING if console.quiet else logging.INFO, format="%(name)s: %(message)s")
    try:
        trio.run(_serve_until_signal, config)
    except* (StoreError, SigningError) as group:
        raise CommandError(str(group.exceptions[0])) from group
    except* OSError as group:
        raise CommandError(f"{config.listen}: {group.exceptions[0]}") from group
    return EXIT_OK


async def _serve_until_signal(config: TrackerConfig) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            store = Store(os.path.join(config.state_directory, STATE_FILE))
            address: str = await nursery.start(run, config, real_world(), store)
            print(json.dumps({"ready": True, "listen": address, "region": config.region}), flush=True)
            async for _ in signals:
                nursery.cancel_scope.cancel()
