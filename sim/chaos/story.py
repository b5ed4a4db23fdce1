"""A scenario as plain values: the fleet, what its operator does, and what goes wrong when."""

from dataclasses import dataclass, field
from typing import Final

from sim.fleet.plan import FleetPlan
from sim.fleet.releases import ReleaseSpec

FIRST, SECOND, THIRD = ReleaseSpec("1.0", 1), ReleaseSpec("2.0", 2, fresh=0.3), ReleaseSpec("4.0", 4, fresh=0.3)
BROKEN: Final = ReleaseSpec("3.0", 3, fresh=0.3, healthy=False)
HALF_SIGNED: Final = ReleaseSpec("9.0", 9, fresh=0.3, signed_by=("build",))
OTHER_HALF: Final = ReleaseSpec("9.1", 10, fresh=0.3, signed_by=("release",))
RELEASES: Final = (FIRST, SECOND, BROKEN, THIRD, HALF_SIGNED, OTHER_HALF)
SPECS: Final = {spec.name: spec for spec in RELEASES}
"""By `product@version`."""


@dataclass(frozen=True)
class Command:
    """The operator says what should run. `older`: even if that is an older release."""

    at_s: float
    release: str
    scope: str
    older: bool = False

    def __str__(self) -> str:
        return f"{self.at_s:5.1f} s  deploy {self.release} in {self.scope}{' --allow-older' if self.older else ''}"


@dataclass(frozen=True)
class Fault:
    """Something goes wrong with `targets` from `at_s` to `until_s` (at the latest until the faults heal)."""

    at_s: float
    until_s: float
    kind: str
    targets: tuple[str, ...]
    amount: float = 0.0

    def __str__(self) -> str:
        amount = f" {self.amount:g}" if self.amount else ""
        return f"{self.at_s:5.1f} s  {self.kind}{amount} until {self.until_s:.1f} s: {', '.join(self.targets)}"


@dataclass(frozen=True)
class Story:
    """`heal_s`: when all faults end; then `last` is commanded, if it is there, and every node must arrive."""

    rng_seed: int
    fleet: FleetPlan
    commands: tuple[Command, ...]
    faults: tuple[Fault, ...]
    liars: tuple[str, ...] = field(default=())
    """What lying peers do, one item a peer."""
    heal_s: float = 60.0
    last: Command | None = None

    def __str__(self) -> str:
        fleet = self.fleet
        head = (
            f"{fleet.daemons} daemons and {fleet.seeders} seeders in {len(fleet.regions)} regions, "
            f"{fleet.pieces} pieces of {fleet.piece_bytes} bytes"
        )
        liars = [f"   a peer that lies: {kind}" for kind in self.liars]
        lines = sorted([*map(str, self.commands), *map(str, self.faults)])
        return "\n".join(
            [head, *liars, *lines, f"{self.heal_s:5.1f} s  all faults end", *map(str, filter(None, [self.last]))]
        )
