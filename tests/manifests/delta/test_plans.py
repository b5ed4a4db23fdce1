"""A plan says the same in each way, and is short where the way suits."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.delta import plans
from manifests.delta.patches import Cover
from manifests.delta.plans import HOME_BYTES, Change, Way
from manifests.delta.small import KIND_OF, KINDS, WAYS


class Said(NamedTuple):
    covers: list[Cover]
    changes: list[Change]


@st.composite
def said(draw: st.DrawFn) -> Said:
    covers, changes, new = list[Cover](), list[Change](), 0
    for _ in range(draw(st.integers(0, 8))):
        new += draw(st.integers(0, 300))
        covers.append(Cover(new, draw(st.integers(0, 2**22)), draw(st.integers(1, 3 * HOME_BYTES))))
        new += covers[-1].length
    for _ in range(draw(st.integers(0, 8))):
        values = draw(st.binary(min_size=1, max_size=4))
        changes.append(Change(draw(st.integers(0, 300)), values, bytes(255 - value for value in values)))
    return Said(covers, changes)


@pytest.mark.parametrize("way", WAYS)
@given(said())
def test_what_was_said_is_read(way: Way, one: Said) -> None:
    plan = plans.decode(plans.encode([0, 300], [7], one.covers, one.changes, 99, way), way)
    assert (plan.pieces, plan.bases, plan.covers, plan.literal_bytes) == ((0, 300), (7,), tuple(one.covers), 99)
    assert plan.values == b"".join(change.values if way.replacing else change.added for change in one.changes)
    place, expected = 0, list[int]()
    for change in one.changes:
        expected += range(place + change.gap, place + change.gap + len(change.values))
        place += change.gap + len(change.values)
    assert list(plan.changed) == expected


def test_each_way_with_each_context_has_a_first_byte_of_its_own() -> None:
    assert len(KINDS) == len(KIND_OF) == 24


def test_short_covers_from_far_away_cost_no_way_back() -> None:
    """Between long ones that go on in their own place."""
    covers = list[Cover]()
    for number in range(20):
        start = 10_000 * number
        covers += [Cover(start, start + 5, 9_000), Cover(start + 9_000, 3_000_000 - 7 * start, 50)]
    home, away = (len(plans.encode([0], [0], covers, [], 0, Way(False, homing, True))) for homing in (True, False))
    assert away - home >= 20 * 2
