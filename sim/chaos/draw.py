"""A story from a seed: small fleets, short stories, several faults at once. The same seed, the same story."""

from random import Random
from typing import Final

from manifests.repository import TIMESTAMP_LIFE
from sim.disk import DiskSpeed
from sim.fleet.fleet import GLOBAL_TRACKER
from sim.fleet.plan import Access, FleetPlan

from .story import BROKEN, FIRST, HALF_SIGNED, OTHER_HALF, RELEASES, SECOND, THIRD, Command, Fault, Story

STORY_S: Final = 40.0
"""Commands and faults begin within this."""
AT_WORK: Final = 0.6
"""The share of faults that begin within AT_WORK_S of a command: when there is something to break."""
AT_WORK_S: Final = 5.0
DAEMONS: Final = (2, 3, 3, 3, 4, 4, 5, 6, 12)
LIES: Final = ("poison", "nothing", "silence")
KINDS: Final = (
    ("kill", 4), ("power", 4), ("power-within", 6), ("partition", 3), ("clog", 3), ("reset", 3),
    ("slow-disk", 2), ("sick-disk", 3), ("full-disk", 2), ("skew", 2), ("flip", 1), ("rot", 2),
    ("no-seeder", 2), ("no-tracker", 2), ("no-global-tracker", 1), ("lying-tracker", 2), ("no-store", 1),
    ("bad-store", 1),
)  # fmt: skip
"""Faults and how often each is drawn."""
PIECE_TO_ALL_S_MAX: Final = 1.0
"""A node's uplink carries one piece to every daemon within this. Where it takes longer than a source's patience (3 s)
every source looks stalled; `docs/simulator.md` has what that does to a fleet."""
SKEWS_S: Final = (-10 * 86_400.0, -30.0, 45.0, 2 * 86_400.0, 10 * 86_400.0)


def draw(rng_seed: int) -> Story:
    """The story of this seed."""
    rng = Random(f"chaos/{rng_seed}")
    fleet = _fleet(rng)
    commands = _commands(rng, fleet)
    faults = tuple(_fault(rng, fleet, commands) for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6))))
    heal_s = max([STORY_S, *(fault.at_s + 1 for fault in faults)]) + rng.uniform(0, 15)
    liars = tuple(rng.choice(LIES) for _ in range(rng.choice((0, 0, 0, 1, 2))))
    last = rng.choices((SECOND, THIRD, FIRST, BROKEN, HALF_SIGNED), weights=(6, 6, 2, 1, 1))[0]
    command = Command(heal_s, last.name, "global", older=True)
    lied = any(fault.kind == "lying-tracker" for fault in faults)  # its goals are only undone by newer ones
    return Story(rng_seed, fleet, commands, faults, liars, heal_s, command if lied or rng.random() < 0.5 else None)


def _fleet(rng: Random) -> FleetPlan:
    regions = ("north", "south")[: rng.choice((1, 1, 2))]
    pieces, piece_bytes = rng.choice((4, 8, 16)), rng.choice((1024, 2048, 20_000))
    daemons = rng.choice(DAEMONS)
    rate = max(pieces * piece_bytes / rng.choice((1.0, 3.0, 8.0)), daemons * piece_bytes / PIECE_TO_ALL_S_MAX)
    expires = rng.random() < 0.1
    return FleetPlan(
        releases=RELEASES,
        pieces=pieces,
        piece_bytes=piece_bytes,
        daemons=daemons,
        regions=regions,
        racks=rng.choice((1, 2)),
        seeders=len(regions),
        daemon=Access(rate, rate * rng.choice((1.0, 1.1, 4.0)), rng.choice((0.0002, 0.002, 0.02))),
        seeder=Access(rate * rng.choice((0.5, 1.0, 4.0)), rate * 4),
        backbone=Access(rate * 4, rate * 4, rng.choice((0.005, 0.05, 0.15))),
        behind_nat=rng.choice((0, 0, 0, 1)),
        disk=DiskSpeed(fsync_s=rng.choice((0.0005, 0.005))),
        metadata_life_s=rng.uniform(5, 30) if expires else TIMESTAMP_LIFE.total_seconds(),
        cdn=rng.random() < 0.3,
        upload_bytes_per_s=round(rate / 2) if rng.random() < 0.15 else 0,
    )


def _commands(rng: Random, fleet: FleetPlan) -> tuple[Command, ...]:
    commands = [Command(rng.uniform(0.2, 3), FIRST.name, "global")]
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        spec = rng.choices((SECOND, THIRD, BROKEN, FIRST, HALF_SIGNED, OTHER_HALF), weights=(6, 4, 4, 3, 2, 1))[0]
        scope = rng.choice(("global", "global", *fleet.regions))
        commands.append(Command(rng.uniform(4, STORY_S), spec.name, scope, older=rng.random() < 0.4))
    return tuple(sorted(commands, key=lambda command: command.at_s))


def _fault(rng: Random, fleet: FleetPlan, commands: tuple[Command, ...]) -> Fault:
    kind = rng.choices([kind for kind, _ in KINDS], weights=[weight for _, weight in KINDS])[0]
    at_s = rng.uniform(0, STORY_S)
    if rng.random() < AT_WORK:
        at_s = rng.choice(commands).at_s + rng.uniform(0, AT_WORK_S)
    until_s = at_s + rng.choice((0.5, 2.0, 5.0, 10.0, 20.0))
    daemons = tuple(f"d{number + 1:03d}" for number in range(fleet.daemons))
    seeders = tuple(f"seeder-{number + 1}" for number in range(fleet.seeders))
    trackers = tuple(f"tracker-{region}" for region in fleet.regions)
    everybody = (*daemons, *seeders, *trackers, GLOBAL_TRACKER)
    amount = 0.0
    match kind:
        case "partition" | "clog":
            targets = tuple(sorted(rng.sample(everybody, rng.randint(1, len(everybody) // 2))))
        case "kill" | "power" | "reset":
            targets = (rng.choice((*daemons, *daemons, *seeders, *trackers)),)
        case "power-within":
            targets, amount = (rng.choice((*daemons, *daemons, *daemons, *seeders)),), rng.randint(1, 60)
        case "no-seeder" | "no-store" | "bad-store":
            targets, amount = seeders, rng.randint(1, 3)
        case "no-tracker" | "lying-tracker":
            targets = (rng.choice(trackers),)
        case "no-global-tracker":
            targets = (GLOBAL_TRACKER,)
        case _:
            targets = tuple(sorted(rng.sample(daemons, rng.randint(1, min(3, len(daemons))))))
            amount = _amount(rng, kind)
    return Fault(round(at_s, 3), round(until_s, 3), kind, targets, amount)


def _amount(rng: Random, kind: str) -> float:
    match kind:
        case "slow-disk":
            return rng.choice((20.0, 200.0))
        case "sick-disk":
            return float(rng.randint(1, 8))
        case "full-disk":
            return rng.choice((0.0, 0.1, 0.5))
        case "skew":
            return rng.choice(SKEWS_S)
        case "flip":
            return 0.05
        case _:
            return rng.random()
