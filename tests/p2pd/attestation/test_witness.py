"""A host that is asked what it runs: what it answers, when, and what it says while goals are kept back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
import trio.testing

from p2pd.attestation import AttestationError
from p2pd.attestation.evidence import challenge_binding
from p2pd.attestation.witness import GAP_S, RETRY_S, Witness
from p2pd.wire.announce import Goal
from p2pd.wire.attestation import Challenge, Evidence, Quote
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import memory_world

Clock = trio.testing.MockClock
ASKED = Challenge(bytes(32), (7,), ("web", "api"))


class Quoting:
    """An attestor that says whatever it is asked, once it works. `bindings`: what it was asked for."""

    kind = "tpm"

    def __init__(self) -> None:
        self.works = True
        self.bindings: list[bytes] = []

    def key(self) -> bytes:
        return b"key"

    def registers(self) -> dict[int, bytes]:
        return {}

    def quote(self, binding: bytes, pcrs: Sequence[int]) -> Evidence:
        self.bindings.append(binding)
        if not self.works:
            raise AttestationError("no TPM answers")
        return Evidence(b"key", binding, b"", ())

    def floor(self, product: str) -> int | None:
        return None

    def raise_floor(self, product: str, sequence: int) -> None:
        return


class Host:
    """A witness, and what it said and when."""

    def __init__(self, attestor: Quoting | None) -> None:
        self.said: list[float] = []
        self.quotes: list[Quote] = []
        self.changed: list[str] = []
        world = memory_world(MemoryNetwork().host("host-1"))
        self.witness = Witness(
            world, attestor, fleet="f", node="host-1", services=("web",), tell=self._tell, changed=self.changed.append
        )

    def _tell(self, quote: Quote) -> None:
        self.quotes.append(quote)
        self.said.append(trio.current_time())


@asynccontextmanager
async def asked(attestor: Quoting | None, challenge: Challenge = ASKED) -> AsyncIterator[Host]:
    host = Host(attestor)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(host.witness.run)
        host.witness.on_challenge(challenge)
        yield host
        nursery.cancel_scope.cancel()


async def test_a_question_is_answered_at_once_and_once(autojump_clock: Clock) -> None:
    async with asked(Quoting()) as host:
        await trio.sleep(10 * RETRY_S)
    assert host.said == [0.0]
    assert host.quotes[0].evidence.quoted == challenge_binding("f", "host-1", ASKED.nonce)


async def test_only_services_that_run_here_are_said_to_wait(autojump_clock: Clock) -> None:
    async with asked(Quoting()) as host:
        assert (list(host.witness.withheld), host.changed) == (["web"], ["web"])


async def test_what_comes_after_all_waits_no_longer(autojump_clock: Clock) -> None:
    async with asked(Quoting()) as host:
        host.witness.on_goals([Goal("web", "global", "web@1", 1)])
        assert (host.witness.withheld, host.changed) == ({}, ["web", "web"])


async def test_an_answer_that_did_not_do_is_given_again_after_a_while_with_its_reason_shown(
    autojump_clock: Clock,
) -> None:
    refused = Challenge(bytes(32), (7,), ("web",), "register 7 holds something else")
    async with asked(Quoting(), refused) as host:
        assert host.witness.withheld == {"web": "register 7 holds something else"}
        await trio.sleep(2 * RETRY_S)
    assert len(host.said) == 1
    assert host.said[0] > RETRY_S / 4


async def test_a_tpm_that_does_not_answer_is_asked_again_and_said(autojump_clock: Clock) -> None:
    attestor = Quoting()
    attestor.works = False
    async with asked(attestor) as host:
        await trio.sleep(4 * RETRY_S)
        assert host.witness.withheld == {"web": "no TPM answers"}
        assert 2 <= len(attestor.bindings) <= 20
        attestor.works = True
        await trio.sleep(2 * RETRY_S)
    assert len(host.said) == 1


async def test_a_host_that_can_show_nothing_says_what_to_set(autojump_clock: Clock) -> None:
    async with asked(None) as host:
        await trio.sleep(1.0)
        assert "set [attestation]" in host.witness.withheld["web"]
    assert host.said == []


async def test_a_tracker_that_asks_without_end_gets_an_answer_a_second(autojump_clock: Clock) -> None:
    async with asked(Quoting()) as host:
        for number in range(100):
            host.witness.on_challenge(Challenge(bytes([number]) * 32, (7,), ("web",)))
            await trio.sleep(0.1)
    assert len(host.said) <= 10 / GAP_S + 2
