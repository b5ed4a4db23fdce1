"""Staying a member: renewals under a virtual clock, with the fleet's real authority and real files."""

import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import trio

from p2pd.identity.config import IdentityConfig
from p2pd.identity.errors import IdentityError
from p2pd.joining import Clock, stay
from p2pd.papers import PENDING, Papers
from p2pd.tracker_link import RefusedError
from p2pd.wire.announce import Certify
from p2pd.world.credentials import Credentials
from p2pd.world.tls_network import TlsNetwork
from tests.tracker.ca.fleet_authority import DAY_S, HOST, NOW, Site
from tracker.errors import RefusalError

VirtualClock = trio.testing.MockClock


class Member:
    """A host that has joined. `away_until`: the authority does not answer before."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.papers = Papers(IdentityConfig(directory=str(directory)), "")
        self.away_until = self.skew_s = 0.0
        self.asked_at: list[float] = []
        token = site.token()
        self.papers.pin(token.root)
        key = self.papers.pending_key()
        self.papers.keep(key, site.join(token, key=key))
        self.network = TlsNetwork(Credentials(self.papers.files), self.utc_now)

    def utc_now(self) -> float:
        return NOW + trio.current_time() + self.skew_s

    async def certify(self, message: Certify) -> tuple[bytes, ...]:
        """The authority, which has the right time."""
        await trio.lowlevel.checkpoint()
        self.asked_at.append(trio.current_time())
        if trio.current_time() < self.away_until:
            raise ConnectionError("nobody answers")
        self.site.now = NOW + trio.current_time()
        try:
            return self.site.desk.certify(message, self.site.now).chain
        except RefusalError as error:
            raise RefusedError(str(error)) from error

    @asynccontextmanager
    async def staying(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stay, self.papers, self.network, self, Clock(self.utc_now, Random(1)))
            yield
            nursery.cancel_scope.cancel()

    @property
    def remaining_s(self) -> float:
        """Of our certificate, by the right time."""
        return self.network.own.ends_at - NOW - trio.current_time()


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    site = Site(tmp_path)
    yield Member(site, tmp_path / "identity")
    site.ledger.close()


async def test_a_certificate_is_renewed_for_ever_and_never_gets_old(
    member: Member, autojump_clock: VirtualClock
) -> None:
    async with member.staying():
        for _ in range(200):
            await trio.sleep(DAY_S / 20)
            assert member.remaining_s > DAY_S / 4
    assert 14 <= len(member.asked_at) <= 20


async def test_each_certificate_has_a_key_of_its_own_and_nobody_else_reads_it(
    member: Member, autojump_clock: VirtualClock
) -> None:
    first = member.papers.key()
    async with member.staying():
        await trio.sleep(DAY_S)
    assert member.papers.key().private_numbers() != first.private_numbers()
    assert stat.S_IMODE(os.stat(member.papers.files.certificate).st_mode) == 0o600
    assert PENDING not in os.listdir(member.papers.directory)


async def test_an_authority_that_is_away_for_long_is_outlived(member: Member, autojump_clock: VirtualClock) -> None:
    member.away_until = 0.97 * DAY_S
    async with member.staying():
        await trio.sleep(DAY_S)
        assert member.remaining_s > 0.9 * DAY_S
    assert 6 <= len(member.asked_at) <= 80, "not given up, and not hammered"


async def test_even_when_the_certificate_has_expired_for_less_than_a_day(
    member: Member, autojump_clock: VirtualClock
) -> None:
    member.away_until = 1.5 * DAY_S
    async with member.staying():
        await trio.sleep(1.6 * DAY_S)
        assert member.remaining_s > 0.9 * DAY_S


@pytest.mark.parametrize("skew_s", [-DAY_S, -3600, 3600, DAY_S])
async def test_a_clock_that_is_a_day_off_does_not_end_a_membership(
    member: Member, skew_s: float, autojump_clock: VirtualClock
) -> None:
    member.skew_s = skew_s
    async with member.staying():
        for _ in range(60):
            await trio.sleep(DAY_S / 20)
            assert member.remaining_s > 0
    assert 4 <= len(member.asked_at) <= 7, "and it does not ask more often than others"


async def test_who_was_revoked_asks_in_vain_and_goes_on_as_before(member: Member, autojump_clock: VirtualClock) -> None:
    own = member.network.own
    member.site.ledger.revoke([own.serial], NOW)
    async with member.staying():
        await trio.sleep(DAY_S)
    assert member.network.own == own
    assert len(member.asked_at) > 3


async def test_the_site_s_own_papers_are_left_to_the_site(member: Member, autojump_clock: VirtualClock) -> None:
    files = member.papers.files
    member.papers = Papers(IdentityConfig(certificate=files.certificate, key=files.key, root=files.root), "")
    async with member.staying():
        await trio.sleep(3 * DAY_S)
    assert member.asked_at == []


def test_another_fleet_s_root_is_not_pinned_over_ours(member: Member, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    token = other.token()
    other.ledger.close()
    with pytest.raises(IdentityError, match="another fleet's root"):
        member.papers.pin(token.root)


def test_a_key_that_was_asked_for_is_kept_until_the_answer_has_come(member: Member) -> None:
    first = member.papers.pending_key()
    assert member.papers.pending_key().private_numbers() == first.private_numbers()
    with open(os.path.join(member.papers.directory, PENDING), "wb") as file:
        file.write(b"-----BEGIN PRIV")
    assert member.papers.pending_key().private_numbers() != first.private_numbers()


def test_what_is_left_of_a_token_does_no_harm_once_there_are_papers(member: Member, tmp_path: Path) -> None:
    file = tmp_path / "token"
    config = IdentityConfig(directory=member.papers.directory, token_file=str(file))
    papers = Papers(config, "")
    assert papers.token() is None, "it was taken away"
    file.write_text("none\n")
    assert papers.token() is None
    (tmp_path / "new").mkdir()
    with pytest.raises(IdentityError, match="begins with"):
        Papers(IdentityConfig(directory=str(tmp_path / "new"), token_file=str(file)), "").token()


def test_a_token_is_used_once_and_another_one_means_to_join_anew(member: Member, tmp_path: Path) -> None:
    file, token = tmp_path / "token", member.site.token(HOST, uses=9)
    papers = Papers(IdentityConfig(directory=member.papers.directory, token_file=str(file)), "")
    file.write_text(token.text())
    assert papers.token() == token
    key = papers.pending_key()
    papers.keep(key, member.site.join(token, "host-2", key=key), token)
    assert papers.token() is None
    file.write_text(member.site.token().text())
    assert papers.token() is not None
