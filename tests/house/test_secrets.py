"""No command takes a secret as an argument, which every process of the machine can read: only a file that holds it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, Breach, lines, plant, python_files

FLAG = re.compile(r'add_argument\(\s*"(--[a-z-]*(?:password|passphrase|secret|token|credential|pin)[a-z-]*)"')
ALLOWED = re.compile(r"--[a-z-]+-file")


def secret_flags(root: Path) -> Iterator[Breach]:
    for path in python_files(root, PACKAGES):
        for found in FLAG.finditer("\n".join(lines(path))):
            if not ALLOWED.fullmatch(found[1]):
                yield Breach(str(path.relative_to(root)), f"{found[1]} takes a secret: make it {found[1]}-file")


def test_no_flag_takes_a_secret() -> None:
    assert list(map(str, secret_flags(ROOT))) == []


@pytest.mark.parametrize(
    "code", ['command.add_argument("--passphrase")', 'x.add_argument(\n    "--join-token", help="")']
)
def test_a_flag_that_takes_a_secret_is_found(tmp_path: Path, code: str) -> None:
    plant(tmp_path, "p2pd/cli.py", code)
    assert [breach.place for breach in secret_flags(tmp_path)] == ["p2pd/cli.py"]
