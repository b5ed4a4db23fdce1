"""The project names no machine of its makers: no registry, no mirror, no path outside itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Breach, lines, plant, text_files

REGISTRIES = (
    "py" + r"pi\.org",
    "python" + r"hosted\.org",
    "deb" + r"ian\.(org|net)",
    "index" + "-url",
    "trusted" + "-host",
)
PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/o" + "pt/wheels", "/o" + r"pt/py\w+", r"/tm" + r"p/\w")
PATTERN = re.compile("|".join((*REGISTRIES, *PATHS)))


def foreign_places(root: Path) -> Iterator[Breach]:
    for path in text_files(root):
        for number, line in enumerate(lines(path), start=1):
            if found := PATTERN.search(line):
                yield Breach(f"{path.relative_to(root)}:{number}", f"names {found[0]!r}")


def test_no_place_outside_the_project_is_named() -> None:
    assert list(map(str, foreign_places(ROOT))) == []


@pytest.mark.parametrize("line", ["https://" + "py" + "pi.org/simple", "cd /wo" + "rk/x", "--index" + "-url=x"])
def test_a_foreign_place_is_found(tmp_path: Path, line: str) -> None:
    plant(tmp_path, "requirements.lock", f"# fine\n{line}\n")
    assert [breach.place for breach in foreign_places(tmp_path)] == ["requirements.lock:2"]
