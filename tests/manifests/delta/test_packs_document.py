"""docs/packs.md says what the code does."""

import re

from manifests.delta import index_codec, limits
from manifests.delta.pack import CODECS
from tests.house.source import ROOT, lines

LINES = lines(ROOT / "docs" / "packs.md")
CELLS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if line.startswith("| ")]


def test_it_names_the_keys_of_the_index_in_their_order() -> None:
    start = next(number for number, cells in enumerate(CELLS) if cells[0] == "format")
    assert tuple(cells[0] for cells in CELLS[start : start + len(index_codec.KEYS)]) == index_codec.KEYS


def test_it_states_the_format() -> None:
    assert ["format", str(index_codec.FORMAT)] in CELLS


def test_it_names_the_codecs_by_number() -> None:
    said = {int(cells[0]): cells[1] for cells in CELLS if len(cells) == 4 and cells[0].isdigit()}
    assert said == dict(enumerate(CODECS))


def test_it_states_the_limits() -> None:
    said = {cells[0]: int(cells[1]) for cells in CELLS if re.fullmatch("[A-Z_]+", cells[0])}
    assert said
    assert said == {name: getattr(limits, name) for name in said}
