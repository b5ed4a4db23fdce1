"""No `except*` raises another exception: Python 3.11.2 (Debian 12) puts that into a group again, later ones do not.

Whoever caught the bare exception there would miss it, and only there. Raise after the statement instead; a bare `raise`
goes on with the group everywhere.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT, Breach, plant, python_files, syntax


def breaches(root: Path) -> Iterator[Breach]:
    for path in python_files(root):
        for statement in ast.walk(syntax(path)):
            if isinstance(statement, ast.TryStar):
                for node in (inner for handler in statement.handlers for inner in ast.walk(handler)):
                    if isinstance(node, ast.Raise) and node.exc is not None:
                        yield Breach(f"{path.relative_to(root)}:{node.lineno}", "raises inside `except*`")


def test_no_exception_of_ours_is_raised_inside_a_group_handler() -> None:
    assert [str(breach) for breach in breaches(ROOT)] == []


def test_a_planted_one_is_found_and_one_that_goes_on_is_not(tmp_path: Path) -> None:
    plant(tmp_path, "p2pd/new.py", "try:\n    pass\nexcept* OSError:\n    raise\n")
    assert not list(breaches(tmp_path))
    plant(tmp_path, "p2pd/new.py", "try:\n    pass\nexcept* OSError as errors:\n    raise errors.exceptions[0]\n")
    assert [str(breach) for breach in breaches(tmp_path)] == ["p2pd/new.py:4: raises inside `except*`"]
