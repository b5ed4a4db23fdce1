"""No file of ours gets away."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, Breach, functions, lines, plant, python_files, syntax

FILE_LINES_MAX = 400
FILE_LINES_MEDIAN_MAX = 200
FUNCTION_LINES_MAX = 60


def long_files(root: Path) -> Iterator[Breach]:
    for path in python_files(root):
        count = len(lines(path))
        if count > FILE_LINES_MAX:
            yield Breach(
                str(path.relative_to(root)), f"{count} lines, {FILE_LINES_MAX} allowed: what two things is it?"
            )


def long_functions(root: Path) -> Iterator[Breach]:
    for path in python_files(root):
        for function in functions(syntax(path)):
            count = (function.end_lineno or function.lineno) - function.lineno + 1
            if count > FUNCTION_LINES_MAX:
                place = f"{path.relative_to(root)}:{function.lineno}"
                yield Breach(place, f"{function.name} has {count} lines, {FUNCTION_LINES_MAX} allowed")


def median_lines(root: Path) -> float:
    return statistics.median([len(lines(path)) for path in python_files(root) if path.name != "__init__.py"])


def test_no_file_is_too_long() -> None:
    assert list(map(str, long_files(ROOT))) == []


def test_no_function_is_too_long() -> None:
    assert list(map(str, long_functions(ROOT))) == []


def test_the_typical_file_is_short() -> None:
    assert median_lines(ROOT) <= FILE_LINES_MEDIAN_MAX


def test_a_long_file_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "p2pd/huge.py", "x = 1\n" * (FILE_LINES_MAX + 1))
    assert [breach.place for breach in long_files(tmp_path)] == ["p2pd/huge.py"]


def test_a_long_function_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "seeder/huge.py", "async def f():\n" + "    pass\n" * FUNCTION_LINES_MAX)
    assert [breach.place for breach in long_functions(tmp_path)] == ["seeder/huge.py:1"]


def test_a_tree_of_long_files_is_found(tmp_path: Path) -> None:
    for name in "abc":
        plant(tmp_path, f"tracker/{name}.py", "x = 1\n" * (FILE_LINES_MEDIAN_MAX + 1))
    assert median_lines(tmp_path) > FILE_LINES_MEDIAN_MAX
