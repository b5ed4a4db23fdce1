"""Secrets stay where they belong: a fleet is set up and lives, and all that it said and left on disk is looked at."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback.processes import Site, ask, until

PASSPHRASE = b"correct horse battery staple"
KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+([A-Za-z0-9+/=]{40,})")
TOKEN = re.compile(rb"p2pjoin1\.[A-Za-z0-9_-]{40,}")


class Life:
    """`said`: what every process and command printed. `arguments`: of all services. `files`: all that there is."""

    def __init__(self, site: Site) -> None:
        folder = site.directory
        said: list[object] = []
        passphrase = folder / "passphrase"
        passphrase.touch(0o600)
        passphrase.write_bytes(PASSPHRASE + b"\n")
        secret = ("--passphrase-file", str(passphrase))
        said.append(ask("manifests", "keys", "new", "ann", "--directory", str(folder / "keys"), *secret))
        _, tracker = site.trackers()
        site.seeder(tracker)
        site.daemon(tracker)
        where = ("--tracker", str(folder / "global" / "admin.sock"), "--key", str(folder / "keys" / "ann.key"), *secret)
        said.append(ask("tracker", "deploy", "shop", "shop@1", *where))
        until(lambda: site.shop_service()["state"] == "VERIFIED")
        said += [ask("tracker", "status", *where[:2]), ask("tracker", "audit", "show", *where[:2]), site.status()]
        said += [ask("tracker", "ca", "list", "--ca", site.shop.authority)]
        self.sockets = {
            (path.name, stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*") if path.is_socket()
        }
        self.arguments = b"".join(Path(f"/proc/{one.process.pid}/cmdline").read_bytes() for one in site.processes)
        for one in site.processes:
            one.end()
        said += [[one.ready, one.errors] for one in site.processes]
        self.said = json.dumps(said).encode()
        self.files = [
            path for root in (folder, site.shop.directory) for path in root.rglob("*")
            if path.is_file() and not path.is_symlink()
        ]  # fmt: skip

    def secrets(self) -> Iterator[tuple[Path, bytes]]:
        """Each secret, and the file that it is in."""
        for path in self.files:
            data = path.read_bytes()
            found = [*KEY.findall(data), *TOKEN.findall(data), *([PASSPHRASE] if PASSPHRASE in data else [])]
            yield from ((path, one) for one in found)


def test_no_secret_is_said_or_given_as_an_argument_or_left_for_others_to_read(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    life = Life(site)
    spoken = life.said + life.arguments + "".join(capfd.readouterr()).encode()
    found = list(life.secrets())
    kinds = {path.suffix or path.name for path, _ in found}
    assert kinds >= {".key", ".pem", ".token", "passphrase"}  # there were secrets to give away
    assert [path for path, secret in found if secret[:40] in spoken] == []
    assert [path for path, _ in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert life.sockets == {("admin.sock", 0o600), ("control", 0o600)}
