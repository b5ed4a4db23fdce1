"""docs/limits.md says what the code does: each constant is there, and has that value."""

import importlib
import re
from typing import Any

import pytest

from tests.house.source import ROOT, lines

ROW = re.compile(r"\| `([a-zA-Z0-9_.]+)` \| ([\d,.]+) \| .+ \| .+ \|")
NAMED = {found[1]: found[2] for line in lines(ROOT / "docs" / "limits.md") if (found := ROW.fullmatch(line))}


def value_of(path: str) -> Any:
    """Of a constant in a module, or of a setting's default in a class."""
    names = path.split(".")
    for count in range(len(names) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(names[:count]))
        except ModuleNotFoundError:
            continue
        for name in names[count:]:
            found = getattr(found, name)
        return found
    raise AssertionError(f"{path} is in no module")


@pytest.mark.parametrize("path", NAMED)
def test_it_states_the_value(path: str) -> None:
    assert float(NAMED[path].replace(",", "")) == value_of(path)


def test_every_package_that_strangers_reach_is_in_it() -> None:
    assert {path.split(".")[0] for path in NAMED} == {"manifests", "p2pd", "seeder", "tracker"}
