"""docs/manifest.md shows the golden example, the profiles and the lives that the code has."""

import json
import re
from datetime import timedelta

import pytest

from manifests import ceremonies, repository
from manifests.chunker import PROFILES
from manifests.console import parse_bytes
from tests.house.source import ROOT

TEXT = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
VECTOR = json.loads((ROOT / "tests" / "vectors" / "manifest.json").read_text(encoding="utf-8"))
LIVES = {
    "root": ceremonies.ROOT_LIFE,
    "targets": ceremonies.TARGETS_LIFE,
    "the two of a product": repository.PARTY_LIFE,
    "snapshot": repository.SNAPSHOT_LIFE,
    "timestamp": repository.TIMESTAMP_LIFE,
}


def row(name: str) -> list[str]:
    """The cells of the table row that begins with this name."""
    match = re.search(rf"^\| {name} \|(.*)\|$", TEXT, re.MULTILINE)
    assert match, name
    return [cell.strip() for cell in match[1].split("|")]


def test_it_shows_the_golden_digest() -> None:
    assert VECTOR["digest"] in TEXT


def test_the_lines_of_the_example_are_the_golden_bytes() -> None:
    data = bytes.fromhex(VECTOR["document"])
    lines = re.findall(r"^ {4} +(\d+)  ((?:[0-9a-f]{2} )+)", TEXT, re.MULTILINE)
    assert len(lines) == 18
    for offset, shown in lines:
        expected = bytes.fromhex(shown)
        assert data[int(offset) :].startswith(expected)


@pytest.mark.parametrize("name", PROFILES)
def test_it_states_the_profiles(name: str) -> None:
    profile = PROFILES[name]
    said = [parse_bytes(cell) for cell in row(name)[:3]]
    assert said == [profile.min_bytes, profile.average_bytes, profile.max_bytes]


@pytest.mark.parametrize("role, life", LIVES.items())
def test_it_states_how_long_signatures_last(role: str, life: timedelta) -> None:
    assert row(role)[1] == f"{life.days} days"
