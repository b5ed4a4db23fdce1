"""Between the tracker and the services: what counts is handed on, what does not is kept and told of."""

import msgspec
import pytest
import trio
from trio.testing import MockClock

from manifests.authority import Authority, Signers
from manifests.errors import ExpiredMetadataError
from manifests.tuf_api import CryptoSigner
from p2pd.goals import LIFE_MAX_S, RefusedGoalError, judge, sign_as_director, sign_as_operator
from p2pd.judge import Judge
from p2pd.origin import OriginError
from p2pd.wire.announce import Goal
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import EPOCH, memory_world

DIRECTOR, OTHER, OPERATOR = (CryptoSigner.generate_ed25519() for _ in range(3))
GOAL = Goal("shop", "global", "shop@1", 7, at=EPOCH)


def authority(*directors: CryptoSigner, threshold: int = 1) -> Authority:
    keys = {one.public_key.keyid: one.public_key for one in directors or (DIRECTOR,)}
    return Authority(Signers(keys, threshold), Signers({OPERATOR.public_key.keyid: OPERATOR.public_key}))


def signed(goal: Goal = GOAL, signer: CryptoSigner = DIRECTOR, life_s: float = 3_600.0) -> Goal:
    return sign_as_director("f", goal, signer, EPOCH + life_s)


def judged(goal: Goal, by: Authority | None = None, utc: float = EPOCH) -> frozenset[str]:
    return judge(goal, by or authority(), fleet="f", region="eu", utc=utc)


# ------------------------------------------------------------------------------------------------------ the brain


def test_the_directors_word_counts() -> None:
    assert judged(signed()) == {DIRECTOR.public_key.keyid}


def test_nobody_but_the_director_sets_a_deadline() -> None:
    with pytest.raises(RefusedGoalError, match="not signed"):
        judged(msgspec.structs.replace(signed(), due=EPOCH + 60.0))


def test_two_of_the_directors_keys_may_be_needed() -> None:
    both = authority(DIRECTOR, OTHER, threshold=2)
    twice = sign_as_director("f", signed(), OTHER, EPOCH + 3_600.0)
    assert judged(twice, both) == {DIRECTOR.public_key.keyid, OTHER.public_key.keyid}
    with pytest.raises(RefusedGoalError, match="not signed"):
        judged(signed(), both)


def test_one_key_under_two_ids_is_one_key() -> None:
    double = type(DIRECTOR.public_key)("00" * 32, *_key_parts(DIRECTOR))
    keys = {DIRECTOR.public_key.keyid: DIRECTOR.public_key, double.keyid: double}
    goal = signed()
    copy = type(goal.signatures[0])(double.keyid, goal.signatures[0].signature)
    forged = msgspec.structs.replace(goal, signatures=(*goal.signatures, copy))
    with pytest.raises(RefusedGoalError, match="not signed"):
        judged(forged, Authority(Signers(keys, 2), Signers({})))


def _key_parts(signer: CryptoSigner) -> tuple[str, str, dict[str, str]]:
    key = signer.public_key
    return key.keytype, key.scheme, key.keyval


@pytest.mark.parametrize("life_s, reason", [(0.0, "has expired"), (-1.0, "has expired"), (LIFE_MAX_S + 1, "longer")])
def test_a_goals_life_is_looked_at(life_s: float, reason: str) -> None:
    with pytest.raises(RefusedGoalError, match=reason):
        judged(signed(life_s=life_s))


def test_the_directors_newer_date_leaves_the_operators_word_as_it_is() -> None:
    order = sign_as_operator("f", Goal("shop", "eu", "shop@0", 8, True, at=EPOCH), OPERATOR)
    first = sign_as_director("f", order, DIRECTOR, EPOCH + 10)
    renewed = sign_as_director("f", first, DIRECTOR, EPOCH + 1_000)
    assert len(renewed.signatures) == 2
    assert judged(renewed, utc=EPOCH + 500)


# ------------------------------------------------------------------------------------------------------- the body


class Court:
    """A judge, what it handed on, and who may set goals."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.answer: Authority | Exception | None = authority()
        self.asked = 0
        self.accepted: list[Goal] = []
        self.changes: list[str] = []
        self.judge = Judge(
            memory_world(MemoryNetwork().host("h")),
            self._authority,
            fleet="f",
            region="eu",
            accept=lambda goal, vouching, trusted: self.accepted.append(goal),
            changed=self.changes.append,
        )
        nursery.start_soon(self.judge.run)

    async def _authority(self) -> Authority | None:
        self.asked += 1
        await trio.lowlevel.checkpoint()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_goal_that_counts_is_handed_on(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    court = Court(nursery)
    court.judge.hear(signed())
    await trio.sleep(1)
    assert (len(court.accepted), court.judge.standing) == (1, {})


async def test_a_goal_signed_anew_is_nothing_to_ask_about(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    court = Court(nursery)
    court.judge.hear(signed())
    await trio.sleep(1)
    court.judge.hear(signed(life_s=7_200.0))
    await trio.sleep(1)
    assert (len(court.accepted), court.asked) == (1, 1)


@pytest.mark.parametrize(
    "trouble, refused", [(OriginError("nobody answers", 0.0), False), (ExpiredMetadataError("expired"), True)]
)
async def test_while_nobody_can_be_asked_the_goal_is_kept_and_told_of(
    autojump_clock: MockClock, nursery: trio.Nursery, trouble: Exception, refused: bool
) -> None:
    court = Court(nursery)
    court.answer = trouble
    court.judge.hear(signed())
    await trio.sleep(1)
    assert court.judge.standing["shop"].refused is refused
    court.answer = authority()
    await trio.sleep(200)
    assert (len(court.accepted), court.judge.standing) == (1, {})
    assert court.changes == ["shop", "shop"]


async def test_a_forged_goal_does_not_hide_a_true_one(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    court = Court(nursery)
    court.judge.hear(signed(signer=OTHER))
    await trio.sleep(1)
    assert "not signed" in court.judge.standing["shop"].reason
    court.judge.hear(signed())
    await trio.sleep(1)
    assert (len(court.accepted), court.judge.standing) == (1, {})


async def test_a_director_that_is_known_later_is_believed_later(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    court = Court(nursery)
    court.judge.hear(signed(signer=OTHER))
    await trio.sleep(1)
    court.answer = authority(OTHER)
    await trio.sleep(200)
    assert len(court.accepted) == 1


async def test_where_there_is_no_director_goals_need_no_signature(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    court = Court(nursery)
    court.answer = None
    court.judge.hear(GOAL)
    await trio.sleep(1)
    assert court.accepted == [GOAL]
