"""What the documents say is so: links lead somewhere, commands exist."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT, Breach, lines, plant, project, text_files

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
SCRIPTS = {name: target.split(".")[0] for name, target in project()["project"]["scripts"].items()}


def documents(root: Path) -> Iterator[Path]:
    return (path for path in text_files(root) if path.suffix == ".md")


def anchors(path: Path) -> set[str]:
    """What can be linked to in a document: its headings, as GitHub spells them."""
    headings = (line.lstrip("#").strip().lower() for line in lines(path) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def dead_links(root: Path) -> Iterator[Breach]:
    for path in documents(root):
        for number, line in enumerate(lines(path), start=1):
            for match in LINK.finditer(line):
                if not leads_somewhere(path, match[1] or match[2]):
                    yield Breach(f"{path.relative_to(root)}:{number}", f"leads nowhere: {match[1] or match[2]}")


def leads_somewhere(document: Path, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    target, _, anchor = link.partition("#")
    place = document.parent / target if target else document
    return place.exists() and (not anchor or anchor in anchors(place))


def commands(path: Path) -> Iterator[str]:
    """Lines of console blocks that a person would type."""
    return (line.strip()[2:] for line in lines(path) if line.strip().startswith("$ "))


def make_targets() -> set[str]:
    return {line.split(":")[0] for line in lines(ROOT / "Makefile") if re.match(r"[a-z]+:", line)}


def subcommand(words: list[str]) -> list[str]:
    """The words of a command that name what to do: those before the first flag or value, two at most."""
    found = []
    for word in words[1:3]:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", word):
            break
        found.append(word)
    return found


def knows(module: str, words: list[str]) -> bool:
    command = [sys.executable, "-m", module, *words, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30, check=False).returncode == 0


def is_a_command(line: str) -> bool:
    """Does what a document tells people to type exist?"""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        return all(word in make_targets() for word in words[1:] if "=" not in word)
    if words[0] not in SCRIPTS:
        return True
    verbs = subcommand(words)
    return any(knows(SCRIPTS[words[0]], verbs[:count]) for count in range(len(verbs), min(1, len(verbs)) - 1, -1))


def test_no_link_is_dead() -> None:
    assert list(map(str, dead_links(ROOT))) == []


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in documents(ROOT)])
def test_the_commands_it_shows_exist(path: Path) -> None:
    assert [line for line in dict.fromkeys(commands(path)) if not is_a_command(line)] == []


def test_every_document_is_in_the_reading_order() -> None:
    order = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    there = [path.relative_to(ROOT / "docs") for path in documents(ROOT) if path.is_relative_to(ROOT / "docs")]
    assert [str(path) for path in there if f"({path})" not in order and path != Path("README.md")] == []


def test_the_front_page_shows_both_first_commands() -> None:
    assert {"make demo", "make test"} <= {line.split("  ")[0].strip() for line in commands(ROOT / "README.md")}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "docs/a.md", "# One\n[good](a.md#one) [bad](b.md)\n[worse](a.md#two)\n")
    assert [breach.place for breach in dead_links(tmp_path)] == ["docs/a.md:2", "docs/a.md:3"]


@pytest.mark.parametrize("line", ["make nonsense", "p2p-manifest nonsense", "p2p-manifest nonsense product@1"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert not is_a_command(line)
