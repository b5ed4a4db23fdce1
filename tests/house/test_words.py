"""Words and forms that this house does not use, each with its reason."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Breach, lines, plant, python_files, syntax, text_files

_RULES = Path(__file__).name
FORBIDDEN_TEXT = {
    "a slot is an upload_slot or a boot_slot": re.compile(r"(?<!upload )(?<!boot )(?<!_)\bslots?\b(?!\s*=)"),
    "unfinished work goes to the tracker of issues": re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"),
    "a fake is a real implementation of a seam": re.compile(r"\bmock\.patch|\bunittest\.mock\b"),
    "a test that is skipped proves nothing": re.compile(r"\bpytest\.(mark\.)?skip|\bimportorskip\b|\bunittest\.skip"),
}
PROSE_ALLOWED = {"docs/glossary.md"}
"""The glossary says what a word must not be used for."""


def forbidden_text(root: Path) -> Iterator[Breach]:
    for path in text_files(root):
        place = str(path.relative_to(root))
        if (
            path.name == _RULES
            or place in PROSE_ALLOWED
            or path.suffix in {".lock", ".svg"}
            or place == "pyproject.toml"
        ):
            continue
        for number, line in enumerate(lines(path), start=1):
            for reason, pattern in FORBIDDEN_TEXT.items():
                if pattern.search(line):
                    yield Breach(f"{place}:{number}", reason)


def swallowed_exceptions(root: Path) -> Iterator[Breach]:
    for path in python_files(root):
        handlers = (node for node in ast.walk(syntax(path)) if isinstance(node, ast.ExceptHandler))
        for handler in handlers:
            if catches_everything(handler.type) and not raises(handler):
                yield Breach(
                    f"{path.relative_to(root)}:{handler.lineno}", "exceptions travel up: name those you answer"
                )


def raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def catches_everything(caught: ast.expr | None) -> bool:
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def test_no_forbidden_words() -> None:
    assert list(map(str, forbidden_text(ROOT))) == []


def test_no_exception_is_swallowed_unnamed() -> None:
    assert list(map(str, swallowed_exceptions(ROOT))) == []


@pytest.mark.parametrize("line", ["take a slot", "slots are free", "# TODO: later", "mock.patch('x')", "pytest.skip()"])
def test_a_forbidden_word_is_found(tmp_path: Path, line: str) -> None:
    plant(tmp_path, "docs/breach.md", line)
    assert len(list(forbidden_text(tmp_path))) == 1


@pytest.mark.parametrize("line", ["upload_slot", "an upload slot", "the boot slot", "slots=True", "__slots__ = ()"])
def test_the_right_words_are_let_through(tmp_path: Path, line: str) -> None:
    plant(tmp_path, "p2pd/fine.py", line)
    assert list(forbidden_text(tmp_path)) == []


def test_a_swallowed_exception_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "p2pd/breach.py", "try:\n    f()\nexcept Exception:\n    log()\n")
    assert [breach.place for breach in swallowed_exceptions(tmp_path)] == ["p2pd/breach.py:3"]
