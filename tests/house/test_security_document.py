"""docs/security.md names the test that shows each claim: it must be there."""

import re

import pytest

from tests.house.source import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
ATTACKS = sorted(path.name for path in (ROOT / "tests" / "attacks").glob("test_*.py"))


@pytest.mark.parametrize("file, test", NAMED)
def test_the_tests_that_it_names_are_there(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", ATTACKS)
def test_each_kind_of_attack_is_named(file: str) -> None:
    assert f"tests/attacks/{file}::" in TEXT
