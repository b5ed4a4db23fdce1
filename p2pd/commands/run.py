"""`p2pd run`: be the daemon until a signal."""

import gc
import json
import os
import signal
import socket
from argparse import Namespace
from dataclasses import replace
from functools import partial

import trio

from manifests.console import EXIT_OK, CommandError, Console, UsageError
from p2pd import control
from p2pd.attestation import AttestationError
from p2pd.attestation.loading import load_attestor
from p2pd.config import ENVIRONMENT_PREFIX, Config
from p2pd.identity.flags import with_flags
from p2pd.install.keeper import DamagedMemoryError
from p2pd.member import Entry, fleet_network, with_proven_names
from p2pd.metrics import serve as serve_metrics
from p2pd.service import Daemon
from p2pd.service import run as run_daemon
from p2pd.settings import load
from p2pd.steering import Steering
from p2pd.store import StoreInUseError
from p2pd.world.memory import keep_freed
from p2pd.world.real import real_world
from p2pd.world.running import run_trio

OVERRIDES = (
    "state_directory",
    "data_directory",
    "node",
    "region",
    "fleet",
    "listen",
    "trust_root",
    "control_socket",
    "insecure",
)


def run(arguments: Namespace, console: Console) -> int:
    """Exit 0 after SIGTERM or SIGINT; 2 for a bad configuration or a state that another daemon uses."""
    given: dict[str, object] = {name: getattr(arguments, name) for name in OVERRIDES}
    given["trackers"] = tuple(arguments.tracker) if arguments.tracker else None
    config = load(Config, path=arguments.config, environment=os.environ, prefix=ENVIRONMENT_PREFIX, overrides=given)
    if not config.trust_root:
        raise UsageError(
            "trust_root is not set: which root.json is this daemon to trust? (`p2p-manifest repo init` makes one)"
        )
    config = replace(config, identity=with_flags(config.identity, arguments))
    keep_freed()
    try:
        run_trio(_serve, config, console)
    except StoreInUseError as error:
        raise UsageError(f"{error}: end it first, or give this one another state_directory") from None
    except (DamagedMemoryError, AttestationError) as error:
        raise CommandError(str(error)) from None
    return EXIT_OK


async def _serve(config: Config, console: Console) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_run, config, console)
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break


async def _run(config: Config, console: Console) -> None:
    node = config.node or socket.gethostname()
    attestor = load_attestor(config.attestation, config.state_directory)
    entry = Entry(
        config.identity, config.state_directory, config.insecure, "daemon", node, config.trackers, attestor=attestor
    )
    async with fleet_network(entry, console.note) as network:
        config = with_proven_names(config, network)
        async with trio.open_nursery() as nursery:
            daemon: Daemon = await nursery.start(partial(run_daemon, attestor=attestor), config, real_world(network))
            await nursery.start(control.serve, config.control_socket, Steering(daemon).commands())
            metrics = await nursery.start(serve_metrics, daemon, config.metrics_listen) if config.metrics_listen else ""
            ready = {"ready": True, "node": daemon.node, "listen": daemon.address, "control": config.control_socket}
            if metrics:
                ready["metrics"] = metrics
            print(json.dumps(ready), flush=True)
            console.note(
                f"{daemon.node} listens at {daemon.address}, runs {', '.join(config.services) or 'no service'}"
            )
            gc.freeze()  # what is loaded by now stays: the collector need not look at it again
