"""A tracker whose goals some hosts get only after they have shown what they run. Hosts with software keys, and one
whose registers the test sets: the quote is one that a TPM's key made, signed by a key of the test's own."""

import hashlib
import struct
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p2pd.attestation.evidence import SOFTWARE_PREFIX, challenge_binding, key_name
from p2pd.attestation.structure import MAGIC, QUOTE
from p2pd.attestation.structure import SHA256 as SHA256_BANK
from p2pd.wire.announce import Announce, AnyTrackerMessage, Goals, Watch
from p2pd.wire.attestation import Challenge, Evidence, Quote
from p2pd.world.network import Identity
from tests.tracker.nodes import goal, register
from tracker.attestation.demand import Demand
from tracker.attestation.doorkeeper import ANSWER_S, FRESH_S
from tracker.config import TrackerConfig
from tracker.deeds import Send
from tracker.goals.goals import Goals as TrackerGoals
from tracker.tracker import Tracker

GOOD, BAD = bytes([1]) * 32, bytes([2]) * 32
NAME, FLEET = "host-1", "f"
SEVEN = Demand("tpm", (f"7={GOOD.hex()}",))


class Host:
    """One host at one tracker, with a clock of the test's. `registers`: what its TPM holds; None: it has a file."""

    def __init__(self, registers: Mapping[int, bytes] | None = None, role: str = "daemon", **demands: Demand) -> None:
        goals = [goal(1, "web@1"), goal(2, "api@1", service="api")]
        self.now, self.registers = 100.0, registers
        self.tracker = Tracker(TrackerConfig(fleet=FLEET, attestation=demands), TrackerGoals(goals), Random(1))
        self._key = generate_private_key(SECP256R1())
        self._public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._kind = "software" if registers is None else "tpm"
        self.identity = Identity(NAME, "eu", role, True, FLEET, attestation=key_name(self._kind, self._public))
        self.role = role

    def join(self, number: int = 1, **changes: Any) -> None:
        self.tracker.connected(number, Identity(**(self._facts() | changes)), "127.0.0.1:9", self.now)
        self.hear(register(NAME, role=self.role), number)

    def hear(self, message: AnyTrackerMessage, number: int = 1) -> list[Any]:
        deeds = self.tracker.receive(number, message, self.now, 0.0)
        return [deed.message for deed in deeds if isinstance(deed, Send)]

    def watch(self, number: int = 1) -> tuple[list[str], Challenge | None]:
        """Releases that it is told of, and what it is asked."""
        return self.sorted(self.hear(Watch((), 0), number))

    def deploy(self, revision: int, release: str) -> tuple[list[str], Challenge | None]:
        deeds = self.tracker.committed(goal(revision, release), self.now)
        return self.sorted([deed.message for deed in deeds if isinstance(deed, Send)])

    def answer(self, challenge: Challenge, **lies: Any) -> tuple[list[str], Challenge | None]:
        return self.sorted(self.hear(Quote(self.evidence(challenge, **lies))))

    def evidence(self, challenge: Challenge, node: str = NAME, nonce: bytes = b"") -> Evidence:
        binding = challenge_binding(FLEET, node, nonce or challenge.nonce)
        if self.registers is None:
            quoted, values = SOFTWARE_PREFIX + binding, tuple[bytes, ...]()
        else:
            values = tuple(self.registers[number] for number in challenge.pcrs)
            bits = sum(1 << number for number in challenge.pcrs).to_bytes(3, "little")
            quoted = struct.pack(">IHHH", MAGIC, QUOTE, 0, 32) + binding + bytes(25)
            quoted += struct.pack(">IHB", 1, SHA256_BANK, 3) + bits + struct.pack(">H", 32)
            quoted += hashlib.sha256(b"".join(values)).digest()
        return Evidence(self._public, quoted, self._key.sign(quoted, ECDSA(SHA256())), values)

    def _facts(self) -> dict[str, Any]:
        return {name: getattr(self.identity, name) for name in Identity.__dataclass_fields__}

    @staticmethod
    def sorted(messages: list[Any]) -> tuple[list[str], Challenge | None]:
        releases = [one.release for message in messages if isinstance(message, Goals) for one in message.goals]
        return releases, next((one for one in messages if isinstance(one, Challenge)), None)


def asked(host: Host) -> Challenge:
    host.join()
    _, challenge = host.watch()
    assert challenge is not None
    return challenge


def test_a_product_that_demands_nothing_is_offered_to_all() -> None:
    host = Host()
    host.join()
    assert host.watch() == (["web@1", "api@1"], None)


def test_what_is_demanded_is_withheld_and_asked_for_and_the_rest_is_told() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.join()
    releases, challenge = host.watch()
    assert releases == ["api@1"]
    assert challenge is not None
    assert (challenge.pcrs, challenge.services, challenge.reason) == ((7,), ("web",), "")


def test_the_right_answer_brings_what_was_withheld() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    releases, challenge = host.answer(asked(host))
    assert ("web@1" in releases, challenge) == (True, None)


def test_registers_that_are_not_allowed_bring_nothing_but_the_reason() -> None:
    host = Host({7: BAD}, web=SEVEN)
    releases, challenge = host.answer(asked(host))
    assert "web@1" not in releases
    assert challenge is not None
    assert challenge.reason.startswith("register 7 holds 0202")


def test_an_answer_counts_once() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    challenge = asked(host)
    host.answer(challenge)
    host.now += FRESH_S + 1
    assert host.answer(challenge) == ([], None)
    assert host.deploy(3, "web@2")[0] == []


@pytest.mark.parametrize("lie", [{"node": "host-2"}, {"nonce": bytes(32)}], ids=["another host's", "another nonce"])
def test_an_answer_to_another_question_is_refused(lie: dict[str, Any]) -> None:
    host = Host({7: GOOD}, web=SEVEN)
    releases, challenge = host.answer(asked(host), **lie)
    assert "web@1" not in releases
    assert challenge is not None
    assert "another question" in challenge.reason


def test_an_answer_that_comes_late_is_refused() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    challenge = asked(host)
    host.now += ANSWER_S + 1
    _, again = host.answer(challenge)
    assert again is not None
    assert "after the question" in again.reason
    assert again.nonce != challenge.nonce


def test_a_key_that_did_not_join_with_the_host_is_refused() -> None:
    host, thief = Host({7: GOOD}, web=SEVEN), Host({7: GOOD})
    challenge = asked(host)
    _, again = host.sorted(host.hear(Quote(thief.evidence(challenge))))
    assert again is not None
    assert "another attestation key" in again.reason


def test_a_host_without_a_key_is_told_how_to_get_one() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.join(attestation="")
    _, challenge = host.watch()
    assert challenge is not None
    assert "new join token" in challenge.reason


def test_a_software_key_does_not_do_where_a_tpm_is_demanded() -> None:
    host = Host(None, web=SEVEN)
    releases, challenge = host.answer(asked(host))
    assert "web@1" not in releases
    assert challenge is not None
    assert "demands a TPM" in challenge.reason


def test_a_software_key_does_where_that_is_demanded() -> None:
    host = Host(None, web=Demand("software"))
    assert "web@1" in host.answer(asked(host))[0]


def test_within_a_minute_the_next_goal_needs_no_other_quote_and_later_it_does() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.answer(asked(host))
    assert host.deploy(3, "web@2") == (["web@2"], None)
    host.now += FRESH_S + 1
    releases, challenge = host.deploy(4, "web@3")
    assert releases == []
    assert challenge is not None
    assert "web@3" in host.answer(challenge)[0]


def test_another_connection_has_shown_nothing() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.answer(asked(host))
    host.tracker.closed(1, host.now)
    host.join(2)
    assert "web@1" not in host.watch(2)[0]


def test_one_answer_does_for_products_that_demand_different_registers() -> None:
    host = Host({0: BAD, 7: GOOD}, web=SEVEN, api=Demand("tpm", (f"0={BAD.hex()}",)))
    challenge = asked(host)
    assert (challenge.pcrs, challenge.services) == ((0, 7), ("api", "web"))
    releases, again = host.answer(challenge)
    assert (sorted(releases), again) == (["api@1", "web@1"], None)


def test_to_run_nothing_is_everybodys_right() -> None:
    host = Host({7: BAD}, web=SEVEN)
    host.answer(asked(host))
    assert host.deploy(3, "")[0] == [""]


def test_a_regions_tracker_is_told_everything() -> None:
    host = Host({7: BAD}, role="tracker", web=SEVEN)
    host.join()
    assert host.watch() == (["web@1", "api@1"], None)


def test_an_answer_that_nobody_asked_for_changes_nothing() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.join()
    assert host.hear(Quote(host.evidence(Challenge(bytes(32), (7,), ())))) == []
    assert host.hear(Announce(())) != []


def test_no_two_questions_have_the_same_nonce() -> None:
    nonces = {asked(Host({7: GOOD}, web=SEVEN)).nonce for _ in range(8)}
    host = Host({7: GOOD}, web=SEVEN)
    challenge: Challenge | None = asked(host)
    for revision in range(3, 9):
        assert challenge is not None
        nonces.add(challenge.nonce)
        host.answer(challenge)
        host.now += FRESH_S + 1
        _, challenge = host.deploy(revision, f"web@{revision}")
    assert len(nonces) == 14


def test_a_goal_that_is_signed_anew_and_not_in_force_there_is_nobodys_question() -> None:
    host = Host({7: GOOD}, web=SEVEN)
    host.tracker.committed(goal(3, "", "eu"), host.now)
    host.join()
    host.watch()
    renewed = msgspec.structs.replace(goal(1, "web@1"), expires=5.0)
    assert host.tracker.committed(renewed, host.now) == []
