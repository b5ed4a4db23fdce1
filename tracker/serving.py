"""`p2p-tracker serve`: a tracker on this machine, until a signal."""

import gc
import json
import logging
import os
import resource
import signal
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import trio

from manifests.console import EXIT_OK, CommandError, Console, UsageError
from manifests.errors import SigningError
from p2pd.identity.certificate import read_certificate
from p2pd.identity.errors import IdentityError
from p2pd.identity.flags import with_flags
from p2pd.identity.keys import der
from p2pd.member import Entry, fleet_network, with_proven_names
from p2pd.papers import Papers
from p2pd.settings import load
from p2pd.world.credentials import Credentials
from p2pd.world.network import Identity
from p2pd.world.real import real_world
from p2pd.world.running import run_trio
from p2pd.world.unix_network import UnixNetwork

from . import stun_door
from .ca import folder
from .ca.desk import LIVES_S, Desk
from .ca.ledger import Ledger
from .ca.local import LocalAuthority
from .config import DEFAULT_ADMIN_SOCKET, STATE_FILE, TrackerConfig
from .errors import StoreError
from .service import run
from .store import Store

GARBAGE_THRESHOLDS: Final = (50_000, 20, 100)
"""New objects between two looks for cycles, and looks between deeper ones. With Python's own (700, 10, 10) a tracker of
10,000 hosts spends a fifth of its time on looking, and finds nothing: what ends is freed by its counts."""


def serve(arguments: Namespace, console: Console, flags: tuple[str, ...]) -> int:
    """Serve by file, environment and the flags of these names, until SIGTERM or SIGINT."""
    given = {name: getattr(arguments, name) for name in flags}
    config = load(TrackerConfig, path=arguments.config, environment=os.environ, prefix="P2P_TRACKER", overrides=given)
    if not config.state_directory:
        raise UsageError("state_directory: where should the goals be kept? set it, or give --state-directory")
    config = replace(config, identity=with_flags(config.identity, arguments))
    logging.basicConfig(level=logging.WARNING if console.quiet else logging.INFO, format="%(name)s: %(message)s")
    _expect_many()
    try:
        run_trio(_serve_until_signal, config, console)
    except (StoreError, SigningError, IdentityError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{config.listen}: {error}") from error
    return EXIT_OK


def _expect_many() -> None:
    """A connection is a descriptor, and some hundred objects that live long and are in no cycle."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


async def _serve_until_signal(config: TrackerConfig, console: Console) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve, config, console)
            async for _ in signals:
                nursery.cancel_scope.cancel()


async def _serve(config: TrackerConfig, console: Console) -> None:
    with _desk(config) as desk:
        world = real_world()
        authority = LocalAuthority(desk, world) if desk else None
        if desk and not config.insecure:
            _papers_of_our_own(config, desk, world.utc_now())
        trackers = (config.upstream,) if config.upstream else ()
        entry = Entry(
            config.identity, config.state_directory, config.insecure, "tracker", config.name, trackers, authority
        )
        async with fleet_network(entry, console.note) as network, trio.open_nursery() as nursery:
            config = with_proven_names(config, network)
            store = Store(os.path.join(config.state_directory, STATE_FILE))
            path = config.admin_socket or os.path.join(config.state_directory, DEFAULT_ADMIN_SOCKET)
            doors = {path: UnixNetwork()}
            service = partial(run, config, replace(world, network=network), store, authority=authority, doors=doors)
            address: str = await nursery.start(service)
            if config.stun_listen:
                await nursery.start(stun_door.serve, config.stun_listen)
            ready = {"ready": True, "listen": address, "region": config.region, "admin": path}
            print(json.dumps(ready), flush=True)


@contextmanager
def _desk(config: TrackerConfig) -> Iterator[Desk | None]:
    """The authority's, if it is here."""
    if not config.ca_directory:
        yield None
        return
    found = folder.load(config.ca_directory)
    with closing(Ledger(found.ledger_path)) as ledger:
        yield Desk(found, ledger)


def _papers_of_our_own(config: TrackerConfig, desk: Desk, now: float) -> None:
    """Who holds the authority needs no token: a certificate of ours, unless there is one that counts."""
    papers = Papers(config.identity, config.state_directory)
    if papers.own_pki or (papers.there and read_certificate(Credentials(papers.files).chain[0]).ends_at > now):
        return
    papers.pin(der(desk.folder.root))
    key = papers.pending_key()
    identity = Identity(config.name, config.region, "tracker")
    papers.keep(key, desk.issue(identity, key.public_key(), LIVES_S["tracker"], now))
