"""The daemon, put together: the composition root.

run
|-- citizenship   what may be used of the owner's links now
|-- background    what others leave of them
|-- exchange      connections to peers, and the swarms they carry
|-- accounts      why downloads did not move
|-- announcer     one connection to a tracker: announces, handouts, goals, reports
'-- updates       one task a service: follows its goal, fetches, switches, checks
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from manifests.trust import TrustChain
from p2pd.accounts import Accounts
from p2pd.announcer import Announcer, Heard
from p2pd.attestation import Attestor
from p2pd.background import Background
from p2pd.citizenship import Citizenship
from p2pd.config import Config, is_paused, node_name
from p2pd.content import StoreContent
from p2pd.downloads import Downloads
from p2pd.exchange import Exchange, Node
from p2pd.lan import LanDesk
from p2pd.origins import Origins
from p2pd.patching.shelf import DIRECTORY as PACKS
from p2pd.patching.smallpacks import SmallPacks
from p2pd.rendezvous import Rendezvous
from p2pd.resolver import Resolver
from p2pd.store import Store
from p2pd.swarm.nearby import Nearby
from p2pd.updates import Updates
from p2pd.wire.announce import Goals, Handout, Register, Revoked, Seeders, Signal
from p2pd.wire.attestation import Challenge
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world import World
from p2pd.world.demanding import TRACKERS, Demanding
from p2pd.world.rtc import Rtc

TRUST_ROOT_BYTES_MAX: Final = 512_000


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts of a running daemon."""

    config: Config
    world: World
    node: str
    address: str
    started_at: float
    store: Store
    exchange: Exchange
    origins: Origins
    resolver: Resolver
    announcer: Announcer
    downloads: Downloads
    updates: Updates
    citizenship: Citizenship
    background: Background
    accounts: Accounts


async def run(
    config: Config,
    world: World,
    *,
    attestor: Attestor | None = None,
    task_status: trio.TaskStatus[Daemon] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Be a daemon until cancelled. `attestor`: by what this machine shows what it runs, and remembers what it ran.

    StoreInUseError when another one runs on the same state; OSError (disk, address, AttestationError).
    """
    seeds = config.patching.seeds
    reserve, quota = config.reserve_bytes, (config.quota_bytes, config.quota_share)
    store = Store(world.disk, config.state_directory, reserve_bytes=reserve, quota=quota, seeds=seeds)
    packs = Store(world.disk, os.path.join(config.state_directory, PACKS), reserve_bytes=reserve, quota=quota)
    store.beside, packs.beside = packs, store
    await world.run_blocking(store.open)
    try:
        await world.run_blocking(packs.open)
        node = await world.run_blocking(node_name, config, world.disk, world.rng)
        async with world.http() as client, trio.open_nursery() as nursery:
            origins = Origins(client, config.origins, world.rng)
            daemon = await _assemble(config, world, store, packs, node, origins, nursery, attestor)
            daemon.downloads.share_all()
            await nursery.start(daemon.updates.run)
            nursery.start_soon(daemon.downloads.patching.shelf.run)
            nursery.start_soon(daemon.updates.witness.run)
            nursery.start_soon(daemon.announcer.run)
            nursery.start_soon(daemon.resolver.prepare, sorted(set(map(config.product, config.services))))
            nursery.start_soon(daemon.background.run)
            nursery.start_soon(daemon.accounts.run)
            if daemon.downloads.lan is not None:
                nursery.start_soon(daemon.downloads.lan.run, daemon.address)
            task_status.started(daemon)
            await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 10.0):
            await world.run_blocking(packs.close)
            await world.run_blocking(store.close)


async def _assemble(
    config: Config,
    world: World,
    store: Store,
    packs: Store,
    node: str,
    origins: Origins,
    nursery: trio.Nursery,
    attestor: Attestor | None,
) -> Daemon:
    """Make the parts and let each know those that it works with."""
    who = Node(node, config.fleet, config.region, "daemon")
    small = SmallPacks(config.patching.keep_s, trio.current_time)
    exchange = Exchange(world, who, StoreContent(world, store, packs, small=small))
    citizenship = Citizenship(config, world, exchange.caps, exchange.hold_back)
    await nursery.start(citizenship.run)
    background = Background(exchange, origins.present.lines, config.limits)
    webrtc = config.webrtc and world.rtc is not None
    exchange.neighbours.advertised = config.advertise
    address = await nursery.start(exchange.run, config.listen)
    register = Register(
        PROTOCOL_VERSION, config.fleet, node, config.region, "daemon", config.advertise or address, webrtc=webrtc
    )

    def heard(message: Heard) -> None:
        match message:
            case Handout():
                downloads.on_handout(message)
            case Seeders(seeders=seeders):
                origins.use_seeders(seeders)
                downloads.use_seeders(seeders)
            case Signal():
                rendezvous.on_signal(message)
            case Revoked(list=revoked):
                world.network.revoke([revoked])
            case Goals():
                updates.on_goals(message)
            case Challenge():
                updates.witness.on_challenge(message)

    announcer = Announcer(Demanding(world.network, TRACKERS), config.trackers, register, world.rng, heard)
    rendezvous = Rendezvous(lambda: load_rtc(config, world), announcer.write, exchange.neighbours.take_in)
    if webrtc:
        exchange.neighbours.detour = rendezvous.reach
        await nursery.start(rendezvous.run)
    resolver = Resolver(world, await _trust_chain(config, world), origins)
    downloads = Downloads(world, store, packs, exchange, origins, announcer, config.patching, small)
    downloads.floor_bytes_per_s = config.http_floor_bytes_per_s
    if config.lan_discovery and world.lan is not None:
        nearby = Nearby(node, config.fleet, world.rng)
        allowed, on_news = citizenship.lan_discovery_allowed, downloads.on_lan_news
        downloads.lan = LanDesk(world.lan(), nearby, node=node, fleet=config.fleet, allowed=allowed, on_news=on_news)
    downloads.paused = await world.run_blocking(is_paused, config, world.disk)
    updates = Updates(config, world, store, downloads, resolver, announcer, node, attestor)
    announcer.look = downloads.statuses
    announcer.watch(tuple(sorted(config.services)))
    return Daemon(
        config, world, node, address, trio.current_time(), store, exchange, origins, resolver, announcer, downloads,
        updates, citizenship, background, Accounts(downloads, exchange, announcer, origins, background),
    )  # fmt: skip


async def _trust_chain(config: Config, world: World) -> TrustChain:
    root = await world.run_blocking(world.disk.read_all, config.trust_root, TRUST_ROOT_BYTES_MAX)
    return TrustChain(root, Path(config.state_directory, "trust"), world.utc_now)


def load_rtc(config: Config, world: World) -> Rtc:
    """OSError where there is no WebRTC."""
    if world.rtc is None:
        raise OSError("there is no WebRTC here")
    try:
        return world.rtc(config.stun)
    except ImportError as error:
        raise OSError(f"WebRTC is not installed: pip install p2pd[webrtc] ({error})") from error
