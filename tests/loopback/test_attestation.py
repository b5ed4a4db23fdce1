"""A fleet whose product demands a TPM: real processes, and a real TPM in software."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.tpm import software_tpm
from tests.loopback.processes import Process, Site, ask, run, until

ZEROS = "00" * 32


@pytest.fixture
def tcti(tmp_path: Path) -> Iterator[str]:
    with software_tpm(tmp_path / "tpm") as found:
        yield found


def demanding_tracker(site: Site, register_holds: str) -> tuple[str, str]:
    """A global tracker that offers `shop` to hosts with a TPM whose register 7 holds this; its address, its config."""
    config = site.directory / "tracker.toml"
    config.write_text(f'[attestation.shop]\npcrs = ["7={register_holds}"]\n')
    where = ("--listen", "127.0.0.1:0", "--state-directory", str(site.directory / "global"))
    started = site.start("tracker", "serve", "--config", str(config), *where, "--ca", site.shop.authority)
    return started.ready["listen"], str(config)


def daemon(site: Site, tracker: str, tcti: str, **more: Any) -> Process:
    """With a TPM."""
    token = site.token("host", "host-1")
    table = f'{{token_file = "{token}"}}\nattestation = {{kind = "tpm", tcti = "{tcti}"}}'
    return site.daemon(tracker, identity=table, **more)


def deploy(site: Site, tracker: str, release: str) -> None:
    ask("tracker", "deploy", "shop", release, "--tracker", tracker, "--identity", site.papers("release-manager", "ann"))


def test_a_host_that_shows_what_it_should_run_is_offered_the_release(site: Site, tcti: str) -> None:
    tracker, _ = demanding_tracker(site, ZEROS)
    site.seeder(tracker)
    daemon(site, tracker, tcti)
    deploy(site, tracker, "shop@1")
    until(lambda: site.shop_service()["state"] == "VERIFIED")
    shown = ask("p2pd", "attest", "--config", str(site.directory / "p2pd.toml"))
    assert shown["registers"]["7"] == ZEROS
    until(lambda: ask("p2pd", "attest", "--config", str(site.directory / "p2pd.toml"))["sequences"] == {"shop": 4})


def test_a_host_that_runs_something_else_is_offered_nothing_and_says_why(site: Site, tcti: str) -> None:
    tracker, _ = demanding_tracker(site, "11" * 32)
    daemon(site, tracker, tcti)
    deploy(site, tracker, "shop@1")
    until(lambda: "register 7 holds 0000" in site.shop_service()["waits_for"])
    assert site.shop_service()["goal_release"] == ""


def test_a_replaced_disk_does_not_bring_an_older_release_back(site: Site, tcti: str) -> None:
    tracker, _ = demanding_tracker(site, ZEROS)
    site.seeder(tracker)
    first = daemon(site, tracker, tcti)
    deploy(site, tracker, "shop@1")
    until(lambda: site.shop_service()["state"] == "VERIFIED")
    until(lambda: ask("p2pd", "attest", "--config", str(site.directory / "p2pd.toml"))["sequences"] == {"shop": 4})
    first.end()
    for name in ("state", "srv"):
        shutil.rmtree(site.directory / name)
    deploy(site, tracker, "shop@file")
    daemon(site, tracker, tcti)
    until(lambda: site.shop_service()["state"] == "REFUSED")
    assert "sequence 1, it remembers 4" in site.shop_service()["error"]


def test_a_host_whose_tpm_is_gone_does_not_start_and_says_what_to_do(site: Site) -> None:
    tracker, _ = demanding_tracker(site, ZEROS)
    failed = daemon(site, tracker, "device:/dev/null")
    assert (failed.ready, failed.process.wait()) == ({}, 1)
    assert "no TPM 2.0 answers at device:/dev/null" in failed.errors


def test_a_member_whose_tpm_is_gone_does_not_start_either(site: Site, tcti: str) -> None:
    tracker, _ = demanding_tracker(site, ZEROS)
    daemon(site, tracker, tcti).end()
    failed = daemon(site, tracker, "device:/dev/null")
    assert (failed.ready, failed.process.wait()) == ({}, 1)
    assert failed.errors.splitlines()[-1].startswith("p2pd: no TPM 2.0 answers at device:/dev/null")


def test_without_an_attestor_there_is_nothing_to_show(site: Site) -> None:
    config = site.directory / "plain.toml"
    config.write_text("insecure = true\n")
    done = run("p2pd", "attest", "--config", str(config))
    assert (done.returncode, "set kind" in done.stderr) == (2, True)


def test_a_software_key_is_shown_as_one(site: Site) -> None:
    config = site.directory / "software.toml"
    state = json.dumps(str(site.directory / "state"))
    config.write_text(f'state_directory = {state}\n[attestation]\nkind = "software"\n[services.shop]\n')
    shown = ask("p2pd", "attest", "--config", str(config))
    assert (shown["key"].partition(":")[0], shown["sequences"]) == ("software", {"shop": None})
