"""The exact chains and the agents tell the same story."""

from dataclasses import replace

import numpy as np
import pytest

from sim.cohort import chain
from sim.cohort.engine import simulate
from sim.cohort.plan import Access, Cdn, CohortPlan, Content, Devices, InternetPeers, Lan, Ring
from sim.scenario import load

UNLIMITED = 1e18
PLAN = CohortPlan(
    content=Content(4e9),
    devices=Devices(count=500_000_000, offline_s=3 * 3600.0),
    cdn=Cdn(UNLIMITED),
    access=(Access("cable", 1.0, 10e6),),
    rings=(Ring("first", 0.1, 0.0), Ring("all", 1.0, 43_200.0)),
    zones=(0.5, 0.5),
    span_s=4 * 86_400.0,
    sample_devices=16_000,
)


def cdn_bytes(plan: CohortPlan, *, chains: bool) -> float:
    return simulate(replace(plan, step_s=300.0 if chains else 150.0), 1, chains=chains)[0].from_cdn


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_without_a_limit_chain_and_agents_need_the_same_bytes_within_two_percent(size: int) -> None:
    plan = replace(PLAN, lans=(Lan(size, 1.0),))
    assert cdn_bytes(plan, chains=True) == pytest.approx(cdn_bytes(plan, chains=False), rel=0.02)


@pytest.mark.parametrize("size", [2, 4])
def test_with_a_cdn_that_limits_them_within_five_percent(size: int) -> None:
    plan = replace(PLAN, lans=(Lan(size, 1.0),), cdn=Cdn(4e12), span_s=7 * 86_400.0)
    assert cdn_bytes(plan, chains=True) == pytest.approx(cdn_bytes(plan, chains=False), rel=0.05)


def test_a_mix_of_lans_and_internet_peers_agrees_too() -> None:
    plan = replace(
        PLAN,
        lans=(Lan(1, 0.5), Lan(2, 0.3), Lan(64, 0.2, 50e6)),
        peers=InternetPeers(duty=0.1, uplink_bytes_per_s=250e3, hole_punching=0.5),
    )
    assert cdn_bytes(plan, chains=True) == pytest.approx(cdn_bytes(plan, chains=False), rel=0.02)


def test_devices_alone_fetch_every_byte_from_outside() -> None:
    world, tape = simulate(replace(PLAN, span_s=8 * 86_400.0), 1)
    assert tape["done"][-1] / 5e8 > 0.99
    assert world.from_cdn == pytest.approx(5e8 * 4e9, rel=0.01)


def test_the_cdn_is_never_asked_for_more_than_it_has() -> None:
    _, tape = simulate(replace(PLAN, lans=(Lan(2, 1.0),), cdn=Cdn(3e12)), 1)
    assert np.diff(tape["cdn"]).max() <= 3e12 * 300.0 * 1.01


def test_nobody_downloads_before_its_ring_opens() -> None:
    _, tape = simulate(replace(PLAN, lans=(Lan(2, 1.0),), span_s=43_200.0), 1)
    assert tape["done"][-1] / 5e8 < 0.1


def test_chains_lose_nobody() -> None:
    states, table, _ = chain.build(2, 4)
    rng = np.random.default_rng(1)
    mass = rng.random((len(states), 3))
    before, after = mass.sum(axis=0), np.empty_like(mass)
    chain.come_and_go(table, mass, after, np.full((2, 3), 0.1))
    chain.forward(table, after, np.full((6, 3), 2.5), np.zeros(3), np.empty(3))
    assert after.sum(axis=0) == pytest.approx(before)
    assert after.min() >= 0.0


def test_a_lan_of_two_has_as_many_states_as_pairs_of_member_states() -> None:
    states, _, _ = chain.build(2, 4)
    members = 2 * (4 + 3)
    assert len(states) == members * (members + 1) // 2


def test_the_week_of_half_a_billion_devices_ends_with_nearly_all_of_them() -> None:
    plan = replace(load("os-rollout-500m").plan, step_s=1800.0, sample_devices=4_000)
    world, tape = simulate(plan, 1)
    assert tape["done"][-1] / plan.devices.count > 0.99
    assert 0.3 < world.from_cdn / (5e8 * 4e9) < 0.6
