"""What the simulator says of a scenario: our brains on links of the same rates, no byte sent. Seconds of work."""

from collections.abc import Mapping
from typing import Final

from benchmarks.links import BenchmarkError, Counters
from benchmarks.links.plan import MBIT
from sim.quick import Link, simulate

from .rows import Outcome
from .scenarios import SEED, Scenario

NAME: Final = "simulated"
PIECE_BYTES: Final = 115 * 1024
"""What pieces of the profile swarm have on average."""
HEADERS: Final = 1.02
"""Of TCP, IP and frames with their seals, as the shaper counts them: of what it was given whole the headers once."""
LATENCY_S: Final = 0.0002
PATIENCE: Final = 20.0


def can_be(scenario: Scenario) -> bool:
    """Not what this model has not: restarts, loss."""
    return not (scenario.killed or scenario.seed_dies or scenario.odd)


def simulated(scenario: Scenario, size: int, rng_seed: int) -> Outcome:
    """When each peer would finish; BenchmarkError for what this model has not."""
    if not can_be(scenario):
        raise BenchmarkError(f"{scenario.name} can't be simulated here: only peers that all stay to the end")
    pieces = max(1, round(size / PIECE_BYTES))
    peers = scenario.peers
    found = simulate(
        [PIECE_BYTES] * pieces,
        [_link(peer.up_mbit, peer.down_mbit, peer.site) for peer in peers],
        shield=_link(scenario.seed_mbit, scenario.seed_mbit),
        rng_seed=rng_seed,
        until_s=PATIENCE * scenario.bound_s(size),
        sites={site.name: _link(site.mbit, site.mbit) for site in scenario.sites},
    )
    received = Counters(0, size + found.duplicates // len(peers))
    links: Mapping[str, Counters] = {
        SEED: Counters(found.shield_pieces * PIECE_BYTES, 0),
        **{site: Counters(0, entered) for site, entered in found.entered_bytes.items()},
    }
    return Outcome(
        finished_s={peer.name: at for peer, at in zip(peers, found.finished_s, strict=True) if at != float("inf")},
        links={**links, **{peer.name: received for peer in peers}},
    )


def _link(up_mbit: float, down_mbit: float, site: str = "") -> Link:
    return Link(up_mbit * MBIT / 8 / HEADERS, down_mbit * MBIT / 8 / HEADERS, LATENCY_S, site)
