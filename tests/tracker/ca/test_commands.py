"""`p2p-tracker ca` as a person types it."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from p2pd.identity.certificate import read_certificate
from p2pd.identity.token import read_token
from p2pd.world.credentials import Credentials, IdentityFiles
from tracker.cli import main

Capture = pytest.CaptureFixture[str]


class Person:
    """Types commands, reads JSON."""

    def __init__(self, directory: Path, capture: Capture) -> None:
        self.directory, self._capture = directory, capture
        self.ca = str(directory / "ca")
        assert self.types("init", self.ca, "--fleet", "shop")["fleet"] == "shop"

    def types(self, *words: str) -> dict[str, Any]:
        """The answer of a command that succeeds."""
        where = () if words[0] == "init" else ("--ca", self.ca)
        assert main(["ca", *words, *where, "--json"]) == 0, self._capture.readouterr().err
        answer: dict[str, Any] = json.loads(self._capture.readouterr().out)
        return answer

    def fails(self, *words: str) -> tuple[int, str]:
        """Exit code and complaint of one that does not."""
        where = () if words[0] == "init" else ("--ca", self.ca)
        code = main(["ca", *words, *where])
        return code, self._capture.readouterr().err

    def issue(self, host: str, role: str = "operator", *more: str) -> dict[str, Any]:
        """Papers by hand."""
        return self.types("issue", "--role", role, "--host", host, "--output", str(self.directory / host), *more)


@pytest.fixture
def person(tmp_path: Path, capsys: Capture) -> Person:
    return Person(tmp_path, capsys)


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_nobody_else_can_read_a_key_or_the_ledger(person: Person) -> None:
    assert mode(person.ca) == 0o700
    assert {mode(f"{person.ca}/{name}") for name in ("root.key", "issuer.pem", "ca.sqlite")} == {0o600}


def test_an_authority_is_never_overwritten(person: Person) -> None:
    code, words = person.fails("init", person.ca)
    assert (code, "stays as it is" in words) == (1, True)


def test_a_token_says_what_it_makes_and_pins_the_root(person: Person) -> None:
    said = person.types("token", "--role", "host", "--region", "eu", "--uses", "5")
    token = read_token(said["token"])
    assert (token.identity.role, token.identity.region, token.identity.fleet) == ("daemon", "eu", "shop")
    (known,) = person.types("list")["tokens"]
    assert (known["id"], known["uses_left"], known["role"]) == (token.id.hex(), 5, "host")


def test_a_token_in_a_file_is_for_its_owner_and_is_not_printed(person: Person) -> None:
    file = str(person.directory / "token")
    said = person.types("token", "--role", "seeder", "--region", "eu", "--output", file)
    assert mode(file) == 0o600
    assert "token" not in said
    assert read_token(Path(file).read_text()).identity.role == "seeder"


def test_papers_by_hand_are_an_identity(person: Person) -> None:
    said = person.issue("alice")
    at = said["directory"]
    own = Credentials(IdentityFiles(f"{at}/root.pem", f"{at}/identity.pem", f"{at}/identity.pem")).own
    assert own
    assert (own.identity.node, own.identity.role, own.identity.region) == ("alice", "operator", "global")
    assert f"{own.serial:x}" == said["serial"]
    assert mode(f"{at}/identity.pem") == 0o600


def test_products_go_into_the_certificate(person: Person) -> None:
    at = person.issue("till-1", "host", "--region", "eu", "--products", "till, till-*")["directory"]
    own = Credentials(IdentityFiles(f"{at}/root.pem", f"{at}/identity.pem", f"{at}/identity.pem")).own
    assert own
    assert own.identity.products == ("till", "till-*")


def test_a_host_is_revoked_with_all_that_it_has(person: Person) -> None:
    serials = {person.issue("host-1", "host", "--region", "eu")["serial"] for _ in range(2)}
    person.issue("host-2", "host", "--region", "eu")
    assert {one["serial"] for one in person.types("revoke", "--host", "host-1")["revoked"]} == serials
    assert person.types("status")["revoked"] == 2
    live = [one["node"] for one in person.types("list")["certificates"] if one["revoked_at"] is None]
    assert live == ["host-2"]


def test_one_certificate_is_revoked_by_its_serial_once(person: Person) -> None:
    serial = person.issue("alice")["serial"]
    assert person.types("revoke", "--serial", serial)["revoked"][0]["node"] == "alice"
    code, words = person.fails("revoke", "--serial", serial)
    assert (code, "no certificate to take back" in words) == (1, True)


def test_the_status_says_whether_the_root_s_key_is_about(person: Person) -> None:
    assert person.types("status")["root_key_here"]
    os.rename(f"{person.ca}/root.key", person.directory / "safe.key")
    status = person.types("status")
    assert not status["root_key_here"]
    renewed = person.types("renew", "--root-key", str(person.directory / "safe.key"))
    assert renewed["issuer_expires_at"] >= status["issuer_expires_at"]
    person.issue("alice")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("token", "--role", "host"), "--region"),
        (("token", "--role", "host", "--region", "eu", "--products", "No Product"), "No Product"),
        (("revoke", "--serial", "xyz"), "no serial number"),
    ],
)
def test_flags_that_make_no_sense_are_named(person: Person, words: tuple[str, ...], complaint: str) -> None:
    code, said = person.fails(*words)
    assert (code, complaint in said) == (2, True)


def test_where_no_authority_is_it_says_how_to_make_one(tmp_path: Path, capsys: Capture) -> None:
    assert main(["ca", "status", "--ca", str(tmp_path)]) == 1
    assert "ca init" in capsys.readouterr().err


def test_what_it_issues_is_read_as_it_is_listed(person: Person) -> None:
    serial = person.issue("alice", "operator", "--life", "2h")["serial"]
    (listed,) = person.types("list")["certificates"]
    chain = Credentials(
        IdentityFiles(*(f"{person.directory}/alice/{name}" for name in ("root.pem", "identity.pem", "identity.pem")))
    ).chain
    assert listed["serial"] == serial
    assert listed["ends_at"] - listed["issued_at"] == pytest.approx(7200, abs=1)
    assert read_certificate(chain[0]).ends_at == pytest.approx(listed["ends_at"], abs=1)
