"""`p2p-manifest` as people and scripts use it, with --json, in a directory of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.cli import main
from tests.manifests.factory import write_tree

PARTIES = ("root", "targets", "online", "build", "release")


class Shell:
    """Runs p2p-manifest with --json in a directory that holds keys, a store and a tree."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys
        self.error = ""

    def __call__(self, line: str) -> Any:
        """The JSON of a command that is done."""
        code, out = self.run(line)
        assert code == 0, self.error
        return json.loads(out)

    def run(self, line: str) -> tuple[int, str]:
        """Exit code and standard output."""
        self._capsys.readouterr()
        code = main([*line.split(), "--json"])
        out, self.error = self._capsys.readouterr()
        return code, out

    def fails(self, line: str) -> tuple[int, str]:
        """Exit code and the error."""
        return self.run(line)[0], self.error


def make_tree(directory: Path) -> None:
    """What is published."""
    write_tree(directory / "tree", {"bin/shop": b"#!/bin/sh\n" * 9999, "etc/conf": b"a=1", "latest": "bin/shop"})


def make_signed(shell: Shell) -> None:
    """A repository, and shop@1.0 signed by both parties and promoted."""
    for name in PARTIES:
        shell(f"keys new {name} --unencrypted --directory keys")
    keys = "--root-key keys/root.key --targets-key keys/targets.key --online-key keys/online.key"
    shell(f"repo init --store store {keys} --output root.json")
    parties = "--build-key keys/build.pub --release-key keys/release.pub"
    shell(f"repo add-product shop --store store {parties} --targets-key keys/targets.key")
    shell("publish tree --product shop --version 1.0 --store store")
    for party in ("build", "release"):
        shell(f"sign shop@1.0 --party {party} --key keys/{party}.key --store store")
    shell("repo promote --store store --key keys/online.key")
