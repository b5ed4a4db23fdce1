"""docs/simulator.md says what chaos draws and what bites: held to the code."""

import pytest

from sim.chaos.draw import KINDS, LIES
from tests.house.source import ROOT, lines
from tests.sim.fleet.planted import PLANTED

DOCUMENT = lines(ROOT / "docs" / "simulator.md")
TABLES = "\n".join(line for line in DOCUMENT if line.startswith("|"))


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS] + list(LIES))
def test_every_fault_is_told_of(kind: str) -> None:
    assert f"`{kind}`" in TABLES


def test_every_planted_bug_is_listed_with_the_rules_that_may_find_it() -> None:
    for bug in PLANTED:
        assert f"| {bug.name} | {', '.join(f'`{rule}`' for rule in bug.rules)} |" in DOCUMENT
