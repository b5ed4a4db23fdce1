"""The tracker as the way to the fleet's authority, and as who tells what was revoked. `Desk` has its own tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from p2pd.identity.certificate import read_certificate
from p2pd.identity.enrolment import new_request
from p2pd.identity.keys import new_key
from p2pd.joining import TrackerAuthority
from p2pd.tracker_link import RefusedError
from p2pd.tracker_stream import TrackerStream
from p2pd.wire.announce import Announce, Certified, Certify, Refused, Revoked
from p2pd.world.network import Identity
from tests.fakes.network import MemoryHost
from tests.fakes.world import memory_world
from tracker.ca.local import LocalAuthority

from .ca.fleet_authority import NOW, Site
from .fleet import EU_ADDRESS, GLOBAL_ADDRESS, Fleet, Node
from .nodes import register

STRANGER = Identity(stranger=True)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An authority whose clock stands still."""
    made = Site(tmp_path)
    yield made
    made.ledger.close()


async def with_authority(fleet: Fleet, site: Site, **settings: Any) -> None:
    """The global tracker answers for the authority."""
    world = replace(memory_world(fleet.network.host("global")), utc_now=lambda: site.now)
    await fleet.tracker(authority=LocalAuthority(site.desk, world), **settings)


def request_of(site: Site, node: str = "host-1") -> Certify:
    token = site.token()
    request = new_request(new_key(), replace(token.identity, node=node))
    return Certify(5, request, token.sign(request), token=token.id)


def stranger(fleet: Fleet, *addresses: str) -> TrackerAuthority:
    return TrackerAuthority(MemoryHost(fleet.network, "new", STRANGER), addresses)


@pytest.mark.parametrize("address", [GLOBAL_ADDRESS, EU_ADDRESS])
async def test_a_stranger_gets_a_certificate_at_any_tracker(fleet: Fleet, site: Site, address: str) -> None:
    await with_authority(fleet, site)
    await fleet.region()
    leaf, _ = await stranger(fleet, address).certify(request_of(site))
    assert read_certificate(leaf).identity.node == "host-1"


async def test_what_the_authority_refuses_is_refused_at_any_tracker(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    await fleet.region()
    forged = replace_signature(request_of(site))
    with pytest.raises(RefusedError, match="unknown"):
        await stranger(fleet, EU_ADDRESS).certify(forged)


def replace_signature(message: Certify) -> Certify:
    return Certify(message.number, message.request, bytes(64), token=message.token)


async def test_an_authority_that_is_away_is_asked_again_and_has_refused_nothing(fleet: Fleet, site: Site) -> None:
    await fleet.region()
    message, authority = request_of(site), stranger(fleet, EU_ADDRESS)
    with pytest.raises(ConnectionError, match="does not answer"):
        await authority.certify(message)
    await with_authority(fleet, site)
    assert await authority.certify(message)


async def test_a_fleet_without_an_authority_says_so(fleet: Fleet, site: Site) -> None:
    await fleet.tracker()
    with pytest.raises(RefusedError, match="ca_directory"):
        await stranger(fleet, GLOBAL_ADDRESS).certify(request_of(site))


async def test_the_next_tracker_is_asked_when_one_does_not_answer(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    assert await stranger(fleet, "nowhere:1", GLOBAL_ADDRESS).certify(request_of(site))


async def test_a_stranger_may_ask_for_a_certificate_and_nothing_else(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    for said in (register("host-1"), register("alice", "", "operator"), Announce(())):
        stream = TrackerStream(await MemoryHost(fleet.network, "new", STRANGER).dial(GLOBAL_ADDRESS))
        await stream.send(said)
        assert isinstance(answer := await stream.receive(), Refused)
        assert answer.number == 0


async def test_requests_for_certificates_are_heard_one_a_second(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    stream = TrackerStream(await MemoryHost(fleet.network, "new", STRANGER).dial(GLOBAL_ADDRESS))
    begun = trio.current_time()
    for _ in range(8):
        await stream.send(replace_signature(request_of(site)))
        assert isinstance(await stream.receive(), Certified | Refused)
    assert trio.current_time() - begun >= 3.0


def lists_heard(node: Node) -> list[bytes]:
    return [message.list for _, message in node.heard if isinstance(message, Revoked)]


async def test_a_revocation_reaches_every_node_within_seconds(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    await fleet.region()
    near, far = fleet.node("near", GLOBAL_ADDRESS), fleet.node("far", EU_ADDRESS)
    await trio.sleep(5)
    assert lists_heard(near) == lists_heard(far) == []
    victim = read_certificate(site.join(site.token())[0])
    site.ledger.revoke([victim.serial], NOW)
    await trio.sleep(3)
    assert lists_heard(near) == lists_heard(far) == list(site.desk.revocations(NOW))


async def test_who_comes_later_is_told_too_also_by_a_region_that_is_cut_off(fleet: Fleet, site: Site) -> None:
    await with_authority(fleet, site)
    await fleet.region()
    victim = read_certificate(site.join(site.token())[0])
    site.ledger.revoke([victim.serial], NOW)
    await trio.sleep(5)
    fleet.network.partition("global")
    late = fleet.node("late", EU_ADDRESS)
    await trio.sleep(5)
    assert lists_heard(late) == list(site.desk.revocations(NOW))
