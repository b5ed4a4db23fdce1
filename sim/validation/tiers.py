"""Five scenarios that real daemons, their brains and the arrays can all run, so that the three can be held together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sim

MIB: Final = 2.0**20
ENGINES: Final = ("fleet", "quick", "scale")
TOLERANCE: Final = 0.05
"""By which the last host's time on real daemons may differ from the arrays'."""


def _deploy(count: int, *, seeder: str = "100 Mbit/s", pieces: int = 512, **changes: Any) -> dict[str, Any]:
    """Pieces of 1 MiB to hosts of 100 Mbit/s up and 110 down, from one seeder in each region."""
    hosts = {
        "count": count, "uplink_bytes_per_s": "100 Mbit/s", "downlink_bytes_per_s": "110 Mbit/s", "latency_s": "2 ms",
    }  # fmt: skip
    table: dict[str, Any] = {
        "content": {"size_bytes": pieces * MIB, "chunk_bytes": MIB},
        "hosts": hosts,
        "origin": {"uplink_bytes_per_s": 0},
        "seeders": {"per_region": 1, "uplink_bytes_per_s": seeder},
    }
    for name, values in changes.items():
        table[name] = {**table.get(name, {}), **values}
    return table


CASES: Final[Mapping[str, dict[str, Any]]] = {
    "12 equal hosts": _deploy(12),
    "a shield of half an uplink": _deploy(12, seeder="50 Mbit/s", pieces=384),
    "a shield of ten uplinks": _deploy(
        24, seeder="1 Gbit/s", hosts={"uplink_bytes_per_s": "50 Mbit/s", "downlink_bytes_per_s": "400 Mbit/s"}
    ),
    "every second host half as fast": _deploy(12, hosts={"slow_share": 0.5, "slow_factor": 2.0}),
    "hosts that come over 40 s": _deploy(16, hosts={"join_over_s": 40.0}),
}


EXACT: Final[Mapping[str, dict[str, Any]]] = {
    "some hosts half as fast": {"slow_share": 0.25, "slow_factor": 2.0},
    "hosts that come over 4 s": {"join_over_s": 4.0},
    "both": {"slow_share": 0.25, "slow_factor": 2.0, "join_over_s": 4.0},
    "downlinks like uplinks": {"downlink_bytes_per_s": "100 Mbit/s"},
}
"""What 8 hosts with latencies of their own do in scenarios that brains alone must tell exactly as daemons do."""


def twins(case: str, rng_seed: int = 1) -> tuple[sim.Result, sim.Result]:
    """A run of real daemons, and of the same brains without them: told who met whom when, and nothing else."""
    hosts = {"latency_s": "4 ms", "latency_spread": 0.5, "downlink_bytes_per_s": "120 Mbit/s", **EXACT[case]}
    table = {"name": case, **_deploy(8, pieces=96, hosts=hosts, daemons={"dilution": 256})}
    daemons = sim.run({**table, "engine": "fleet"}, rng_seed=rng_seed)
    return daemons, sim.run({**table, "engine": "quick"}, rng_seed=rng_seed, like=daemons)


@dataclass(frozen=True)
class Row:
    """One case on one engine: seconds until half and until all have it, over the bound; copies from the seeders."""

    case: str
    engine: str
    p50_s: float
    last_s: float
    bound_s: float
    seeder_copies: float
    wasted_share: float


def run_case(case: str, engine: str, rng_seed: int = 1) -> Row:
    """Run it."""
    facts = sim.run({"name": case, "engine": engine, **CASES[case]}, rng_seed=rng_seed).facts
    return Row(
        case, engine, facts["p50_s"], facts["last_s"] if not facts["unfinished"] else float("inf"), facts["bound_s"],
        facts["seeder_copies"], facts["wasted_chunks"] / facts["transfers"],
    )  # fmt: skip
