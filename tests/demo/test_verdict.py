"""The demo fails when any of its claims does."""

from dataclasses import replace

import pytest

from demo.verdict import Figures, as_json, claims, passed, refetched

GOOD = Figures(
    nodes=8,
    artifact_bytes=10,
    origin_copies=1.05,
    peer_share=0.9,
    second_release_fetched_share=0.06,
    unhealthy_release_reverted=True,
    rollback_ok=True,
    refetched_verified_bytes=0,
    all_digests_ok=True,
)
BAD = [
    {"origin_copies": 1.31},
    {"peer_share": 0.84},
    {"second_release_fetched_share": 0.13},
    {"unhealthy_release_reverted": False},
    {"rollback_ok": False},
    {"refetched_verified_bytes": 1},
    {"all_digests_ok": False},
]


def test_good_figures_pass() -> None:
    assert passed(GOOD)


@pytest.mark.parametrize("figure", BAD, ids=lambda figure: next(iter(figure)))
def test_each_bad_figure_breaks_exactly_one_claim(figure: dict[str, float]) -> None:
    spoiled = replace(GOOD, **figure)  # type: ignore[arg-type]  # names and values differ from case to case
    assert not passed(spoiled)
    assert [claim.holds for claim in claims(spoiled)].count(False) == 1


def test_a_story_that_broke_off_fails() -> None:
    assert not passed(replace(GOOD, error="the tracker ended"))


def test_what_was_not_measured_fails() -> None:
    assert not any(claim.holds for claim in claims(Figures(nodes=8)))


def test_the_json_has_what_was_promised() -> None:
    promised = {"nodes", "artifact_bytes", "seconds", "origin_copies", "peer_share", "second_release_fetched_share"}
    promised |= {"unhealthy_release_reverted", "rollback_ok", "refetched_verified_bytes", "all_digests_ok"}
    assert promised <= set(as_json(GOOD))


def test_what_was_not_measured_is_null_in_the_json() -> None:
    assert as_json(Figures(nodes=8))["origin_copies"] is None


def test_nothing_is_refetched_when_a_restart_fetches_what_was_missing() -> None:
    assert refetched(verified_before_kill=40, resumed=45, size=100, stored=100) == 0


def test_what_was_verified_and_not_found_again_counts_as_refetched() -> None:
    assert refetched(verified_before_kill=40, resumed=30, size=100, stored=100) == 10


def test_what_was_stored_beyond_one_copy_counts_as_refetched() -> None:
    assert refetched(verified_before_kill=40, resumed=40, size=100, stored=115) == 15
