"""A service's way into the fleet: the network that it speaks over, from its configuration.

In order: the site's own PKI; papers that are there; a token to join with. Without any of them, only `insecure`, which
stays on this machine.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from manifests.console import CommandError, UsageError
from p2pd.attestation import Attestor
from p2pd.identity.config import IdentityConfig
from p2pd.identity.errors import IdentityError
from p2pd.identity.token import JoinToken
from p2pd.joining import Authority, Clock, Enrolling, TrackerAuthority, join, stay, stranger
from p2pd.papers import Papers
from p2pd.tracker_link import RefusedError
from p2pd.world.credentials import Credentials
from p2pd.world.network import Network
from p2pd.world.real import utc_now
from p2pd.world.real_network import RealNetwork
from p2pd.world.tls_network import TlsNetwork
from p2pd.world.workers import Workers

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    ConfigT = TypeVar("ConfigT", bound=DataclassInstance)

UNSET: Final = ("", "default")
"""What a name is in a configuration that does not say it."""


@dataclass(frozen=True)
class Entry:
    """Who wants in. `role`: as in a certificate. `node`: its name where the token leaves that open. `trackers`: whom to
    ask for certificates, if no `authority` is given. `attestor`: whose key our certificate shall name."""

    config: IdentityConfig
    state_directory: str
    insecure: bool
    role: str
    node: str
    trackers: tuple[str, ...]
    authority: Authority | None = None
    attestor: Attestor | None = None


@asynccontextmanager
async def fleet_network(entry: Entry, tell: Callable[[str], None]) -> AsyncIterator[Network]:
    """The network of a member, whose papers are kept fresh as long as the block lasts; `tell`: what it waits for.

    UsageError without papers and a way to get them; CommandError when they are no good; OSError.
    """
    if entry.insecure:
        yield RealNetwork()
        return
    clock = Clock(utc_now, Random())
    papers = Papers(entry.config, entry.state_directory)
    network = await _enter(papers, entry, clock, tell)
    authority = entry.authority or TrackerAuthority(stranger(papers, network.credentials.fleet, clock), entry.trackers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(network.keep)
        nursery.start_soon(stay, papers, network, authority, clock)
        yield network
        nursery.cancel_scope.cancel()


async def _enter(papers: Papers, entry: Entry, clock: Clock, tell: Callable[[str], None]) -> TlsNetwork:
    try:
        token = None if papers.own_pki else papers.token()
        if token is not None and papers.there:
            await _join_anew(papers, token, entry, clock, tell)
        elif token is not None:
            await join(papers, token, entry.node, entry.trackers, clock, tell, enrolling=_enrolling(entry))
        elif not papers.there:
            raise UsageError(_no_papers(entry.role))
        network = TlsNetwork(Credentials(papers.files), clock.utc_now)
    except (IdentityError, RefusedError) as error:
        raise CommandError(f"not a member of the fleet: {error}") from error
    if network.own.identity.role != entry.role:
        raise UsageError(f"the certificate in {papers.files.certificate} is for a {network.own.identity.role}")
    return network


async def _join_anew(papers: Papers, token: JoinToken, entry: Entry, clock: Clock, tell: Callable[[str], None]) -> None:
    """There is a new token: one try, for the papers that are there may be good enough."""
    try:
        await join(papers, token, entry.node, entry.trackers, clock, tell, once=True, enrolling=_enrolling(entry))
    except (IdentityError, RefusedError, OSError) as error:
        tell(f"not joined anew, going on with the papers that are there: {error}")


def _enrolling(entry: Entry) -> Enrolling | None:
    return Enrolling(entry.attestor, Workers(1)) if entry.attestor is not None else None


def _no_papers(role: str) -> str:
    name = "host" if role == "daemon" else role
    return (
        f"no identity: give a join token (identity.token_file; `p2p-tracker ca token --role {name}` makes one), or the "
        "site's own certificate, key and root (identity.*); or, on one machine only, --insecure"
    )


def with_proven_names(config: "ConfigT", network: Network) -> "ConfigT":
    """The configuration with `node`, `region` and `fleet` as our certificate says them; it may repeat them, but not
    contradict (UsageError)."""
    if not isinstance(network, TlsNetwork):
        return config
    proven: dict[str, str] = {}
    for name in ("node", "region", "fleet"):
        said, proven[name] = getattr(config, name), getattr(network.own.identity, name)
        if said not in (*UNSET, proven[name]):
            raise UsageError(f"{name} = {said!r} in the configuration, but the certificate says {proven[name]!r}")
    return replace(config, **proven)
