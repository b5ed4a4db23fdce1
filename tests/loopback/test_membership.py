"""Joining, renewing and being thrown out, by the commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from p2pd.identity.certificate import Certificate, read_certificate
from p2pd.identity.keys import read_chain
from tests.loopback.processes import Process, Site, ask, run, until
from tracker.cli import main as p2p_tracker


def own_certificate(site: Site) -> Certificate:
    """The daemon's."""
    path = site.directory / "state" / "identity" / "identity.pem"
    return read_certificate(read_chain(path.read_bytes())[0])


def connected(site: Site) -> bool:
    """The daemon is with its tracker."""
    return bool(site.status()["tracker"]["connected"])


def test_a_daemon_joins_through_its_region_and_stays_without_its_token(site: Site) -> None:
    _, tracker = site.trackers()
    daemon = site.daemon(tracker)
    assert daemon.ready["node"] == "host-1"
    until(lambda: connected(site))
    daemon.end()
    Path(site.directory, "host-1.token").unlink()
    again = site.start("p2pd", "run", "--config", str(site.directory / "p2pd.toml"))
    assert again.ready["node"] == "host-1"


def test_a_token_that_is_spent_ends_in_one_line(site: Site) -> None:
    _, tracker = site.trackers()
    site.daemon(tracker).end()
    site.papers("host", "host-1")
    (site.directory / "state" / "identity" / "identity.pem").unlink()
    failed = Process("p2pd", "run", "--config", str(site.directory / "p2pd.toml"))
    assert (failed.ready, failed.process.returncode) == ({}, 1)
    assert failed.errors.count("\n") == 1
    assert "the join token was used up" in failed.errors


def test_without_papers_and_token_it_says_what_would_do(site: Site) -> None:
    done = run("p2pd", "run", "--trust-root", site.shop.root, "--state-directory", str(site.directory / "state"))
    assert done.returncode == 2
    assert "p2p-tracker ca token --role host" in done.stderr


def test_plain_tcp_does_not_leave_the_machine(site: Site) -> None:
    where = ("--state-directory", str(site.directory / "state"), "--listen", "0.0.0.0:0")
    done = run("p2pd", "run", "--insecure", "--trust-root", site.shop.root, *where)
    assert done.returncode == 1
    assert "not on loopback" in done.stderr


def test_a_certificate_is_renewed_while_the_daemon_runs(site: Site) -> None:
    _, tracker = site.trackers()
    site.daemon(tracker, token=site.token("host", "host-1", "--life", "6s"))
    first = own_certificate(site)
    until(lambda: own_certificate(site).serial != first.serial)
    assert own_certificate(site).identity == first.identity
    until(lambda: connected(site))


def test_a_revoked_host_is_out_within_seconds_and_stays_out(site: Site) -> None:
    _, tracker = site.trackers()
    site.daemon(tracker)
    until(lambda: connected(site))
    assert p2p_tracker(["ca", "revoke", "--host", "host-1", "--ca", site.shop.authority, "--quiet"]) == 0
    until(lambda: not connected(site))
    error = site.status()["tracker"]["last_error"]
    assert "revoked" in error or "closed" in error or "goodbye" in error


def test_with_a_new_token_a_revoked_host_is_a_member_again(site: Site) -> None:
    _, tracker = site.trackers()
    daemon = site.daemon(tracker)
    assert p2p_tracker(["ca", "revoke", "--host", "host-1", "--ca", site.shop.authority, "--quiet"]) == 0
    daemon.end()
    revoked = own_certificate(site)
    site.daemon(tracker)
    assert own_certificate(site).serial != revoked.serial
    until(lambda: connected(site))


def test_a_new_token_that_is_refused_keeps_no_member_out(site: Site) -> None:
    _, tracker = site.trackers()
    site.daemon(tracker).end()
    before, refused = own_certificate(site), str(site.directory / "another.token")
    flags = ("--role", "seeder", "--region", "elsewhere", "--host", "host-1", "--expires", "1ms", "--output", refused)
    assert p2p_tracker(["ca", "token", *flags, "--ca", site.shop.authority, "--quiet"]) == 0
    assert site.daemon(tracker, token=refused).ready["node"] == "host-1"
    assert own_certificate(site) == before
    until(lambda: connected(site))


def test_a_host_s_papers_deploy_nothing(site: Site) -> None:
    globally, _ = site.trackers()
    words = ("deploy", "shop", "shop@1", "--tracker", globally)
    done = run("tracker", *words, "--identity", site.papers("host", "host-9"))
    assert done.returncode == 1
    assert "your certificate says role 'daemon'" in done.stderr
    assert ask("tracker", *words, "--identity", site.papers("release-manager", "ann"))["by"] == "ann"


def test_a_viewer_s_papers_look_and_change_nothing_and_the_attempt_is_written_down(site: Site) -> None:
    globally, _ = site.trackers()
    where = ("--tracker", globally, "--identity", site.papers("viewer", "vic"))
    assert ask("tracker", "status", *where)["services"] == []
    for words in (("deploy", "shop", "shop@1"), ("rollback", "shop"), ("pause",), ("promote", "shop", "--from", "eu")):
        done = run("tracker", *words, *where)
        assert (done.returncode, "your certificate says viewer" in done.stderr) == (1, True)
    records = ask("tracker", "audit", "show", *where)["records"]
    assert [(one["who"], one["role"], bool(one["refused"])) for one in records] == [("vic", "viewer", True)] * 4
    assert ask("tracker", "audit", "verify", *where)["ok"] is True


def test_an_admin_lets_in_and_throws_out_from_afar_and_nobody_else_does(site: Site) -> None:
    globally, tracker = site.trackers()
    file, role = str(site.directory / "newcomer.token"), ("--role", "host", "--region", "default")
    words = ("ca", "token", *role, "--output", file, "--tracker", globally, "--identity")
    refused = run("tracker", *words, site.papers("release-manager", "max"))
    assert (refused.returncode, "takes an admin or more" in refused.stderr, Path(file).exists()) == (1, True, False)
    admin = site.papers("admin", "ada")
    assert ask("tracker", *words, admin)["file"] == file
    daemon = site.daemon(tracker, token=file, node="newcomer")
    assert daemon.ready, daemon.errors
    until(lambda: connected(site))
    throw = ("ca", "revoke", "--host", "newcomer", "--reason", "stolen", "--tracker", globally, "--identity", admin)
    assert [one["node"] for one in ask("tracker", *throw)["revoked"]] == ["newcomer"]
    until(lambda: not connected(site))
    records = ask("tracker", "audit", "show", "--tracker", globally, "--identity", admin)["records"]
    assert [(one["who"], one["action"], bool(one["refused"])) for one in records] == [
        ("max", "invite", True), ("ada", "invite", False), ("ada", "revoke", False),
    ]  # fmt: skip


def test_this_machine_s_own_admin_needs_no_certificate(site: Site) -> None:
    globally, _ = site.trackers()
    socket = str(site.directory / "global" / "admin.sock")
    assert ask("tracker", "deploy", "shop", "shop@1", "--tracker", socket)["revision"] == 1
    records = ask("tracker", "audit", "show", "--tracker", socket)["records"]
    assert records[0]["proven"] is True
    done = run("tracker", "status", "--tracker", globally, "--identity", str(site.directory / "nothing"))
    assert (done.returncode, "ca issue --role release-manager" in done.stderr) == (2, True)


@pytest.fixture
def own_pki(site: Site) -> dict[str, Any]:
    """Certificates that the site's own PKI issued, as paths."""
    papers = site.papers("host", "host-1")
    names = {"certificate": "identity.pem", "key": "identity.pem", "root": "root.pem"}
    return {name: f"{papers}/{file}" for name, file in names.items()}


def test_a_site_may_bring_its_own_pki(site: Site, own_pki: dict[str, Any]) -> None:
    _, tracker = site.trackers()
    values = ", ".join(f"{name} = {json.dumps(path)}" for name, path in own_pki.items())
    daemon = site.daemon(tracker, identity=f"{{{values}}}")
    assert daemon.ready["node"] == "host-1"
    until(lambda: connected(site))
