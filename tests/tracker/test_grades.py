"""Who may command what: every grade and every command; and that whoever may not leaves a record of having tried."""

from dataclasses import dataclass
from typing import Any

import pytest

from p2pd.wire.announce import (
    GRADES,
    AuditRequest,
    Deploy,
    Done,
    Goal,
    GoalSignature,
    Invite,
    Order,
    Pause,
    Promote,
    Refused,
    Resume,
    Revoke,
    Rollback,
    StatusRequest,
)
from p2pd.world.network import Identity
from tracker.audit import Record, from_document, verify
from tracker.client import CommandRefused
from tracker.deeds import Administer, Commit, CommitPauses, Deed, Note, ReadAudit, Send
from tracker.permissions import ALLOWED, COMMANDS, Command
from tracker.refusals import NAMES_MAX, REFUSALS_PER_HOUR_MAX, RefusalBudget

from .fleet import Fleet
from .nodes import goal, register, report
from .test_tracker import UTC, Talk, closed

VIEWER, OPERATOR, MANAGER, ADMIN = GRADES


@dataclass(frozen=True)
class Case:
    """`least`: the lowest grade that may."""

    name: str
    message: Command | StatusRequest | AuditRequest
    least: str


def order(release: str, scope: str, *, rollback: bool = False) -> Order:
    """Signed by somebody: whether by an operator is for hosts to judge."""
    signature = GoalSignature("5f" * 32, bytes(64))
    return Order(1, Goal("web", scope, release, 4, rollback, "ann", UTC, signatures=(signature,)))


CASES = [
    Case("status", StatusRequest(1), VIEWER),
    Case("audit", AuditRequest(1), VIEWER),
    Case("pause one service", Pause(1, "db", "eu"), OPERATOR),
    Case("pause everything", Pause(1, "", "global"), OPERATOR),
    Case("resume", Resume(1, "web", "global"), OPERATOR),
    Case("rollback", Rollback(1, "web", "global"), OPERATOR),
    Case("deploy to a region", Deploy(1, "web", "web@3", "eu"), OPERATOR),
    Case("deploy everywhere", Deploy(1, "web", "web@3", "global"), MANAGER),
    Case("deploy an older one everywhere", Deploy(1, "web", "web@0", "global", True), MANAGER),
    Case("promote", Promote(1, "web", "eu", "global", "", "", True), MANAGER),
    Case("invite", Invite(1, bytes(32), "daemon", "eu", "", (), "", 0.0, 1, 60.0), ADMIN),
    Case("revoke", Revoke(1, "host-7"), ADMIN),
    Case("order a rollback", order("web@1", "global", rollback=True), OPERATOR),
    Case("order for a region", order("web@3", "eu"), OPERATOR),
    Case("order for everywhere", order("web@3", "global"), MANAGER),
    Case("order as a rollback what never ran", order("web@3", "global", rollback=True), MANAGER),
]


def joined(grade: str, identity: Identity | None = None) -> Talk:
    """A tracker with two releases and a pause, and a person of this grade as connection 1."""
    talk = Talk(goal(1, "web@1"), goal(2, "web@2"))
    pause = Pause(1, "web", "global")
    talk.tracker.paused(talk.tracker.goals.pause(pause, "bob", UTC), talk.now)
    assert talk.tracker.goals.revision == 3
    where = "127.0.0.1:5" if identity else "192.0.2.7:5"
    identity = identity or Identity("ann", "global", grade, proven=True)
    assert talk.join(1, register("ann", "", "operator"), identity, where) == []
    return talk


def refusal(deeds: list[Deed]) -> tuple[Record, str]:
    """What was written down, and what was answered."""
    [note] = [deed for deed in deeds if isinstance(deed, Note)]
    [answer] = [deed.message for deed in deeds if isinstance(deed, Send)]
    assert isinstance(answer, Refused)
    return note.record, answer.error


def done(deeds: list[Deed]) -> bool:
    [deed] = deeds
    if isinstance(deed, Send):
        return isinstance(deed.message, Done)
    return isinstance(deed, Commit | CommitPauses | Administer | ReadAudit)


@pytest.mark.parametrize("grade", GRADES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_grade_may_do_what_it_may_and_nothing_more(case: Case, grade: str) -> None:
    deeds = joined(grade).say(1, case.message)
    if GRADES.index(grade) >= GRADES.index(case.least):
        assert done(deeds)
    else:
        record, error = refusal(deeds)
        assert f"takes {'an' if case.least[0] in 'ao' else 'a'} {case.least} or more" in error
        assert f"your certificate says {grade}" in error
        assert (record.who, record.role, record.proven, record.where) == ("ann", grade, True, "192.0.2.7:5")
        assert record.refused == error


def test_every_command_is_in_the_table() -> None:
    assert {type(case.message) for case in CASES} == set(ALLOWED["operator"])


@pytest.mark.parametrize("role", ["daemon", "seeder", "tracker"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_machine_s_certificate_commands_nothing(case: Case, role: str) -> None:
    talk = Talk()
    identity = Identity("ann", "eu", role, proven=True)
    assert "certificate says role" in closed(talk.join(1, register("ann", "eu", "operator"), identity))
    talk.join(2, register("ann", "eu", role), identity, "192.0.2.7:5")
    deeds = talk.say(2, case.message)
    assert f"a {role} may not send" in closed(deeds, 2)
    records = [deed.record for deed in deeds if isinstance(deed, Note)]
    assert [(one.who, one.role) for one in records] == [("ann", role)] * isinstance(case.message, COMMANDS)
    assert not any(isinstance(deed, Commit | CommitPauses | Administer) for deed in deeds)


@pytest.mark.parametrize("grade", GRADES)
def test_a_person_s_certificate_takes_no_part_in_a_swarm(grade: str) -> None:
    for role in ("daemon", "seeder", "tracker"):
        identity = Identity("ann", "eu", grade, proven=True)
        assert "certificate says role" in closed(Talk().join(1, register("ann", "eu", role), identity))


def test_a_refused_command_says_what_it_would_have_changed() -> None:
    record, _ = refusal(joined(VIEWER).say(1, Deploy(1, "web", "web@9", "global", reason="for fun")))
    assert (record.action, record.service, record.scope) == ("deploy", "web", "global")
    assert (record.before, record.after, record.reason) == ("web@2", "web@9", "for fun")


def test_a_command_that_makes_no_sense_is_written_down_too() -> None:
    record, error = refusal(joined(ADMIN).say(1, Deploy(1, "web", "nonsense", "global")))
    assert record.refused == error


def test_a_pause_says_what_it_changed() -> None:
    [deed] = joined(OPERATOR).say(1, Pause(1, "", "eu", reason="errors"))
    assert isinstance(deed, CommitPauses)
    record = deed.record
    assert (record.action, record.service, record.scope, record.reason) == ("pause", "", "eu", "errors")
    assert (record.before, record.after, record.refused) == ("going on", "paused", "")


def test_where_nobody_is_proven_everybody_is_an_admin_and_the_record_says_unproven() -> None:
    [deed] = joined("", Identity()).say(1, Deploy(1, "web", "web@3", "global", by="alice"))
    assert isinstance(deed, Commit)
    assert (deed.record.who, deed.record.proven, deed.record.role) == ("alice", False, ADMIN)


def test_too_many_refusals_of_one_name_fill_no_disk_and_hide_nobody_else_s() -> None:
    talk = joined(VIEWER)
    records = [deed for _ in range(100) for deed in talk.say(1, Pause(1, "db", "eu")) if isinstance(deed, Note)]
    assert len(records) == REFUSALS_PER_HOUR_MAX
    assert "not written down" in records[-1].record.refused
    talk.join(2, register("bob", "", "operator"), Identity("bob", "global", VIEWER, proven=True))
    assert any(isinstance(deed, Note) for deed in talk.say(2, Pause(1, "db", "eu")))


def test_refusals_are_counted_anew_every_hour_and_of_invented_names_together() -> None:
    budget = RefusalBudget()
    assert {budget.spend(f"name-{number}", 0.0) for number in range(NAMES_MAX)} == {REFUSALS_PER_HOUR_MAX - 1}
    invented = [budget.spend(f"other-{number}", 1.0) >= 0 for number in range(1_000)]
    assert sum(invented) == REFUSALS_PER_HOUR_MAX
    assert budget.spend("other-0", 3_600.0) == REFUSALS_PER_HOUR_MAX - 1


async def test_the_chain_of_records_holds_over_what_was_done_and_what_was_refused(fleet: Fleet) -> None:
    await fleet.tracker()
    async with fleet.operator() as operator:
        await operator.deploy("web", "web@1")
        await operator.pause("web")
        with pytest.raises(CommandRefused, match="nothing came before"):
            await operator.rollback("web")
        await operator.resume("web")
        records = [record async for record in operator.audit()]
    assert [record["action"] for record in records] == ["deploy", "pause", "rollback", "resume"]
    assert [bool(record["refused"]) for record in records] == [False, False, True, False]
    assert verify(map(from_document, records)).wrong == ""


# -- products -------------------------------------------------------------------------------------------------------


def limited(*products: str, grade: str = MANAGER) -> Talk:
    """Services `web` and `db` of products of these names; and a person whose certificate is for these products."""
    talk = Talk(
        *(
            goal(number, f"{name}@{number}", service=name)
            for name, number in (("web", 1), ("web", 2), ("db", 3), ("db", 4))
        )
    )
    talk.join(1, register("ann", "", "operator"), Identity("ann", "global", grade, proven=True, products=products))
    return talk


THEIRS = [
    Deploy(1, "web", "web@3", "global"), Deploy(1, "web-2", "web@3", "eu"), Rollback(1, "web", "global"),
    Pause(1, "web", "global"), Promote(1, "web", "eu", "global", "", "", True), StatusRequest(1),
]  # fmt: skip
OTHERS = [
    Deploy(1, "db", "db@2", "global"), Deploy(1, "db", "web@3", "global"), Deploy(1, "web", "db@2", "global"),
    Rollback(1, "db", "global"), Pause(1, "db", "global"), Pause(1, "", "global"), Pause(1, "", "eu"),
    Promote(1, "db", "eu", "global", "", "", True),
]  # fmt: skip


@pytest.mark.parametrize("message", THEIRS, ids=lambda one: str(one)[:60])
@pytest.mark.parametrize("products", [(), ("web",), ("w*", "api")])
def test_a_certificate_for_a_product_commands_its_services(products: tuple[str, ...], message: Any) -> None:
    assert done(limited(*products).say(1, message))


@pytest.mark.parametrize("message", OTHERS, ids=lambda one: str(one)[:60])
def test_a_certificate_for_a_product_commands_no_other_service(message: Any) -> None:
    error = refusal(limited("web", grade=ADMIN).say(1, message))[1]
    assert "your certificate is for web" in error or "all products" in error


@pytest.mark.parametrize(
    "message", [Invite(1, bytes(32), "admin", "global", "x", (), "", 0.0, 1, 60.0), Revoke(1, "h")]
)
def test_an_admin_of_one_product_lets_nobody_in(message: Any) -> None:
    assert "all products" in refusal(limited("web", grade=ADMIN).say(1, message))[1]


# -- promote --------------------------------------------------------------------------------------------------------


def fared(*states: str, revision: int = 2) -> Talk:
    """`web@2` in eu, on a host for each of these states."""
    talk = Talk(goal(1, "web@1"), goal(revision, "web@2", "eu"))
    for number, state in enumerate(states):
        running = "web@2" if state == "VERIFIED" else "web@1"
        talk.tracker.reports.put(report(f"h{number}", state, running, revision=revision), f"h{number}")
    talk.join(1, register("ann", "", "operator"), Identity("ann", "global", MANAGER, proven=True))
    return talk


def promoted(talk: Talk, **changes: Any) -> list[Deed]:
    values: dict[str, Any] = {"service": "web", "source": "eu", "scope": "global"}
    return talk.say(1, Promote(1, **values | changes))


def test_what_runs_well_in_one_region_is_promoted_to_all() -> None:
    [deed] = promoted(fared("VERIFIED", "VERIFIED"))
    assert isinstance(deed, Commit)
    assert (deed.goal.release, deed.goal.scope, deed.goal.rollback) == ("web@2", "global", False)
    assert (deed.record.action, deed.record.before, deed.record.after) == ("promote from eu", "web@1", "web@2")


@pytest.mark.parametrize("states", [(), ("VERIFIED", "DOWNLOADING"), ("VERIFIED", "FAILED")])
def test_what_does_not_run_well_everywhere_there_is_not_promoted_but_by_force(states: tuple[str, ...]) -> None:
    record, error = refusal(promoted(fared(*states)))
    assert ("or give --force" in error, record.before, record.after) == (True, "web@1", "web@2")
    [deed] = promoted(fared(*states), force=True)
    assert isinstance(deed, Commit)
    assert deed.record.action == "promote from eu by force"


def test_nothing_is_promoted_from_where_nothing_runs() -> None:
    talk = Talk()
    talk.join(1, register("ann", "", "operator"))
    assert "nothing to promote" in refusal(promoted(talk))[1]
