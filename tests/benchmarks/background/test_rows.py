"""Claims are made of the background only, and are missed where they are missed."""

from dataclasses import replace

from benchmarks.background.rows import Row, line_of

KEPT = Row("up", True, False, False, False, "cubic", 1, 20.0, 0.1, 2.5e6, 2.4e6, 2.3e6, 2.2e6, 0.05e6, 2.1e6)


def test_a_row_that_keeps_all_claims_misses_none() -> None:
    assert KEPT.missed == ()
    assert KEPT.plain()["kept"] == round(2.3 / 2.4, 4)


def test_a_foreground_flow_that_loses_more_than_a_tenth_is_told() -> None:
    row = replace(KEPT, flow_beside_per_s=2.0e6)
    assert row.missed == ("kept 0.83 < 0.9",)
    assert line_of(row).endswith("MISSED kept 0.83 < 0.9")


def test_a_link_that_is_not_used_is_told() -> None:
    assert replace(KEPT, alone_per_s=1.0e6, after_per_s=1.5e6).missed == ("used 0.40 < 0.8", "used_after 0.60 < 0.8")


def test_of_a_daemon_that_is_not_in_the_background_nothing_is_claimed() -> None:
    assert replace(KEPT, background=False, flow_beside_per_s=1.0).missed == ()


def test_of_one_that_came_late_only_what_it_leaves() -> None:
    late = replace(KEPT, late=True, alone_per_s=1.0, after_per_s=1.0)
    assert late.missed == ()
    assert replace(late, flow_beside_per_s=1.0e6).missed == ("kept 0.42 < 0.9",)


def test_of_two_only_what_they_leave_together() -> None:
    two = replace(KEPT, daemons=2, alone_per_s=1.0, after_per_s=1.0)
    assert two.missed == ()
    assert replace(two, flow_beside_per_s=1.0e6).missed == ("kept 0.42 < 0.9",)
