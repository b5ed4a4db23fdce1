"""What limited whom, as a brain sees it."""

from dataclasses import replace

import pytest

import sim
from p2pd.policy.sources import Tier
from p2pd.swarm.snapshot import Pace
from sim.limits import DOWNLINK, LIMITS, NO_PEERS, NOTHING_NEW, OUTSIDE, SHIELDS, UPLINKS, limit_of

SEEN = Pace(50.0, 3, (Tier.REGION,))


@pytest.mark.parametrize(
    "seen, limit",
    [
        (None, OUTSIDE),
        (replace(SEEN, neighbours=0, asked=()), NO_PEERS),
        (replace(SEEN, down_per_s=95.0), DOWNLINK),
        (SEEN, UPLINKS),
        (replace(SEEN, asked=()), NOTHING_NEW),
        (replace(SEEN, asked=(Tier.SHIELD,)), SHIELDS),
        (replace(SEEN, asked=(Tier.REGION, Tier.SHIELD)), UPLINKS),
    ],
)
def test_what_limits_a_host_is_told_from_whom_it_asked_and_what_it_gets(seen: Pace | None, limit: int) -> None:
    assert LIMITS[limit_of(seen, 100.0)] == LIMITS[limit]


def test_where_the_shield_is_slow_the_report_says_so_before_peers_have_anything() -> None:
    table = {
        "name": "slow shield",
        "engine": "quick",
        "content": {"size_bytes": "16 MiB", "chunk_bytes": "1 MiB"},
        "hosts": {"count": 1, "uplink_bytes_per_s": "1 Gbit/s", "downlink_bytes_per_s": "1 Gbit/s"},
        "origin": {"uplink_bytes_per_s": 0},
        "seeders": {"per_region": 1, "uplink_bytes_per_s": "10 Mbit/s"},
    }
    result = sim.run(table)
    assert result.labels["limits"] == LIMITS
    assert result.arrays["limits"].sum(axis=0).argmax() == SHIELDS
