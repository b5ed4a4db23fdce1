"""What limited whom, as a brain sees it."""

from dataclasses import replace
from math import inf

import pytest

import sim
from p2pd.swarm.snapshot import PeerSnapshot, Snapshot
from sim.limits import DOWNLINK, LIMITS, NO_PEERS, NOTHING_NEW, OUTSIDE, SHIELDS, UPLINKS, limit_of

PEER = PeerSnapshot("a", 0.0, "region", 10, 2, 0.0, 0.0, 0, 0, False)
SHIELD = replace(PEER, key="s", tier="shield")
IDLE = replace(PEER, requested=0)
SEEN = Snapshot(
    0.0, 10, 2, 800, 2, 50.0, 1.0, "", None, {}, {}, False, False, {}, 0, {}, inf, "", (PEER,),
)  # fmt: skip


@pytest.mark.parametrize(
    "seen, limit",
    [
        (None, OUTSIDE),
        (replace(SEEN, peers=()), NO_PEERS),
        (replace(SEEN, down_per_s=95.0), DOWNLINK),
        (SEEN, UPLINKS),
        (replace(SEEN, peers=(IDLE,)), NOTHING_NEW),
        (replace(SEEN, peers=(IDLE, SHIELD)), SHIELDS),
        (replace(SEEN, peers=(PEER, SHIELD)), UPLINKS),
    ],
)
def test_what_limits_a_host_is_told_from_whom_it_asked_and_what_it_gets(seen: Snapshot | None, limit: int) -> None:
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
