"""Becoming a member of the fleet with a token, and staying one by renewals.

Both go through any tracker of the fleet, which we know by the pinned root, as a stranger: the request says by itself
who asks. So it also works when our certificate has just expired.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, NoReturn, Protocol

import trio

from p2pd.attestation import Attestor
from p2pd.attestation.evidence import enrolment_binding, key_name
from p2pd.identity.enrolment import check_answer, new_request, sign_renewal
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import read_chain
from p2pd.identity.renewal import Renewal
from p2pd.identity.token import JoinToken
from p2pd.papers import Papers
from p2pd.policy.backoff import Backoff
from p2pd.tracker_link import RefusedError
from p2pd.tracker_stream import TrackerStream
from p2pd.wire.announce import Certified, Certify, Refused
from p2pd.wire.attestation import Evidence
from p2pd.wire.errors import RemoteProtocolError
from p2pd.world import RunBlocking
from p2pd.world.credentials import Credentials
from p2pd.world.demanding import TRACKERS, Demanding
from p2pd.world.network import Identity, Network
from p2pd.world.tls_network import TlsNetwork

ANSWER_S: Final = 15.0
"""Dialling, the handshake, and a signature at the authority, perhaps a region away."""
LOOK_S: Final = 600.0
"""How often to look at the clock on the wall, which goes on while the machine sleeps."""
log = logging.getLogger(__name__)


class Authority(Protocol):
    """Whoever answers a request for a certificate."""

    async def certify(self, message: Certify) -> tuple[bytes, ...]:
        """The chain, DER; RefusedError says why not, OSError that nobody answers just now."""
        ...


class TrackerAuthority:
    """The fleet's, reached through these trackers over `network`, in this order."""

    def __init__(self, network: Network, addresses: Sequence[str]) -> None:
        self._network, self._addresses = Demanding(network, TRACKERS), tuple(addresses)

    def __repr__(self) -> str:
        return f"<TrackerAuthority at {', '.join(self._addresses)}>"

    async def certify(self, message: Certify) -> tuple[bytes, ...]:
        """The chain, from the first that answers; RefusedError, OSError."""
        problems = []
        for address in self._addresses:
            try:
                with trio.fail_after(ANSWER_S):
                    return await self._ask(address, message)
            except trio.TooSlowError:
                problems.append(f"{address} does not answer")
            except (OSError, RemoteProtocolError) as error:
                problems.append(f"{address}: {error}")
        raise ConnectionError("; ".join(problems) or "no tracker is known")

    async def _ask(self, address: str, message: Certify) -> tuple[bytes, ...]:
        stream = TrackerStream(await self._network.dial(address))
        try:
            await stream.send(message)
            while True:
                answer = await stream.receive()
                if isinstance(answer, Refused):
                    raise RefusedError(answer.error) if answer.number else ConnectionError(answer.error)
                if isinstance(answer, Certified) and answer.number == message.number:
                    return answer.chain
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
                await stream.aclose()


@dataclass(frozen=True)
class Clock:
    """Civil time and dice."""

    utc_now: Callable[[], float]
    rng: Random


@dataclass(frozen=True)
class Enrolling:
    """An attestation key that joins together with its host. `run_blocking`: a TPM takes its time."""

    attestor: Attestor
    run_blocking: RunBlocking

    async def name(self) -> str:
        """How a certificate names it."""
        return key_name(self.attestor.kind, await self.run_blocking(self.attestor.key))

    async def prove(self, request: bytes) -> Evidence:
        """That it is here, where this request was made."""
        return await self.run_blocking(self.attestor.quote, enrolment_binding(request), ())


async def join(
    papers: Papers,
    token: JoinToken,
    node: str,
    trackers: Sequence[str],
    clock: Clock,
    tell: Callable[[str], None],
    *,
    once: bool = False,
    enrolling: Enrolling | None = None,
) -> None:
    """Get the first certificate, however long it takes until a tracker answers; `tell` is told what it waits for.

    `enrolling`: whose key the certificate shall name. `once`: OSError when none answers the first time. RefusedError
    when the token is not (or no longer) good for that; IdentityError; OSError of the disk, AttestationError among them.
    """
    identity = replace(token.identity, node=token.identity.node or node)
    papers.pin(token.root)
    key = papers.pending_key()
    if enrolling is not None:
        identity = replace(identity, attestation=await enrolling.name())
    request = new_request(key, identity)
    evidence = await enrolling.prove(request) if enrolling is not None else None
    message = Certify(1, request, token.sign(request), token=token.id, evidence=evidence)
    authority = TrackerAuthority(stranger(papers, identity.fleet, clock), trackers)
    backoff, told = Backoff(clock.rng), ""
    chain: tuple[bytes, ...] = ()
    while not chain:
        try:
            chain = await authority.certify(message)
        except OSError as error:
            if once:
                raise
            if str(error) != told:
                told = str(error)
                tell(f"waiting to join the fleet: {told}")
            await trio.sleep(backoff.failed())
    check_answer(list(chain), token.root, key, identity)
    papers.keep(key, list(chain), token)


async def stay(papers: Papers, network: TlsNetwork, authority: Authority, clock: Clock) -> NoReturn:
    """Renew our certificate well before it expires, and again, until cancelled. With the site's own PKI: nothing."""
    if papers.own_pki:
        await trio.sleep_forever()
    renewal = Renewal(network.own, clock.rng)
    wait_s = renewal.wait_s(clock.utc_now())
    while True:
        await _sleep(wait_s, clock)
        while (problem := await _renew(papers, network, authority)) is not None:
            log.warning("the certificate is not renewed: %s", problem)
            await trio.sleep(renewal.retry_s(clock.utc_now()))
        log.info("the certificate is renewed")
        renewal = Renewal(network.own, clock.rng)
        wait_s = renewal.whole_s  # it has just come, whatever our clock makes of its dates


async def _sleep(seconds: float, clock: Clock) -> None:
    """For so long, or until the clock on the wall says that it was so long (the machine may have slept)."""
    wakes_at, wall_at = trio.current_time() + seconds, clock.utc_now() + seconds
    while trio.current_time() < wakes_at and clock.utc_now() < wall_at:  # noqa: ASYNC110 - two clocks
        await trio.sleep(min(LOOK_S, wakes_at - trio.current_time()))


async def _renew(papers: Papers, network: TlsNetwork, authority: Authority) -> Exception | None:
    """None when it is done, else what went wrong."""
    try:
        identity: Identity = network.own.identity
        key = papers.pending_key()
        request = new_request(key, identity)
        signature = sign_renewal(papers.key(), request)
        chain = await authority.certify(Certify(1, request, signature, certificate=network.credentials.chain[0]))
        check_answer(list(chain), read_root(papers), key, identity)
        papers.keep(key, list(chain))
        network.look()
    except (IdentityError, RefusedError, OSError) as error:
        return error
    return None


def stranger(papers: Papers, fleet: str, clock: Clock) -> TlsNetwork:
    """The network of one who knows the fleet's root, and shows nothing."""
    return TlsNetwork(Credentials(papers.stranger_files, fleet), clock.utc_now)


def read_root(papers: Papers) -> bytes:
    """The pinned root, DER; OSError, IdentityError."""
    with open(papers.files.root, "rb") as file:
        return read_chain(file.read())[0]
