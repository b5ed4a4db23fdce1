"""docs/manifest.md is normative, so it must say what the code does."""

import re

import pytest

from manifests import codec, limits
from tests.house.source import ROOT, lines

ROWS = [line for line in lines(ROOT / "docs" / "manifest.md") if line.startswith("| `")]


def stated_limits() -> dict[str, int]:
    rows = (re.fullmatch(r"\| `([A-Z_]+)` \| (\d+) \|", row) for row in ROWS)
    return {row[1]: int(row[2]) for row in rows if row}


def test_it_names_the_keys_in_their_order() -> None:
    said = [found[1] for row in ROWS if (found := re.match(r"\| `([a-z]+)` \|", row))]
    assert said == list(codec.KEYS)


def test_it_states_the_format() -> None:
    assert f"| `format` | {codec.FORMAT} |" in ROWS


@pytest.mark.parametrize("name", stated_limits())
def test_it_states_the_limits(name: str) -> None:
    assert stated_limits()[name] == getattr(limits, name)
