"""docs/wire.md is normative, so it must say what the code does."""

import re
import typing

import pytest

from p2pd.wire import announce, attestation, framing, messages, orders
from tests.house.source import ROOT, lines

ROWS = [line for line in lines(ROOT / "docs" / "wire.md") if line.startswith("| `")]
MESSAGES = {
    str(kind.__struct_config__.tag): kind
    for kind in (*typing.get_args(messages.AnyMessage), *typing.get_args(announce.AnyTrackerMessage))
}
VALUES = {
    kind.__name__: kind
    for kind in (
        announce.SwarmStatus,
        announce.PeerInfo,
        announce.Importing,
        announce.Goal,
        announce.GoalSignature,
        announce.Paused,
        announce.ServiceReport,
        attestation.Evidence,
    )
}
SAID = {
    found[1]: re.findall(r"`(\w+)`", row.split("|")[2]) for row in ROWS if (found := re.match(r"\| `([^`]+)`", row))
}


def limits() -> dict[str, int]:
    rows = (re.fullmatch(r"\| `([A-Z_]+)` \| (\d+) \|", row) for row in ROWS)
    return {row[1]: int(row[2]) for row in rows if row}


@pytest.mark.parametrize("tag", [*MESSAGES, *VALUES])
def test_it_names_the_fields_in_their_order(tag: str) -> None:
    assert SAID[tag] == list({**MESSAGES, **VALUES}[tag].__struct_fields__)


def test_it_invents_no_message() -> None:
    assert set(SAID) - set(limits()) == set(MESSAGES) | set(VALUES)


@pytest.mark.parametrize("name", limits())
def test_it_states_the_limits(name: str) -> None:
    owner = next(module for module in (framing, messages, orders, announce, attestation) if hasattr(module, name))
    assert limits()[name] == getattr(owner, name)
