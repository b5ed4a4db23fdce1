"""The lifecycle and who signed: a goal outranks another only while one of those who vouched for it is trusted."""

from random import Random

from p2pd.install import Lifecycle, State
from p2pd.install.actions import Resolve
from p2pd.install.memory import Memory, decode, encode
from p2pd.wire.announce import Goal

HIGHEST = 2**63 - 1


def brain(memory: Memory | None = None) -> Lifecycle:
    made = Lifecycle("web", "web", rng=Random(1), remembered=memory)
    made.start(None)
    return made


def tell(life: Lifecycle, revision: int, *keys: str) -> bool:
    """A goal that these keys vouch for, and no others are trusted; unsigned in a fleet without a director."""
    return life.goal(Goal("web", "global", "web@1", revision), keys, keys or None)


def test_a_goal_whose_signers_are_all_revoked_outranks_nothing() -> None:
    life = brain()
    assert tell(life, HIGHEST, "thief")
    assert not tell(life, 1, "thief")
    assert tell(life, 1, "new")


def test_an_unsigned_goal_outranks_no_signed_one() -> None:
    life = brain()
    assert tell(life, HIGHEST)
    assert not tell(life, 1)
    assert tell(life, 1, "director")


def test_who_signed_is_remembered() -> None:
    life = brain()
    tell(life, 5, "director")
    again = brain(decode(encode(life.memory)))
    assert not tell(again, 4, "director")
    assert tell(again, 4, "new")


def test_failures_under_revoked_revisions_do_not_shut_a_release_out() -> None:
    life = brain(Memory(state="FAILED", failed={"web@1": HIGHEST}))
    assert tell(life, HIGHEST, "thief")
    assert life.state == State.FAILED
    assert tell(life, 1, "new")
    while not isinstance(action := life.next_action(), Resolve):
        assert action is not None
        if hasattr(action, "memory"):
            life.persisted(action.memory)
    assert action == Resolve("web@1")
