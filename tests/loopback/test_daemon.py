"""`p2pd run` and the commands that ask it."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.idle import Idle, watch
from tests.loopback.conftest import TREE
from tests.loopback.processes import Site, ask, run, until

SLOW_BYTES_PER_S = 3_000_000
SIZE_BYTES = sum(map(len, TREE.values()))


def deploy(site: Site, tracker: str, release: str = "shop@1") -> None:
    """Everywhere."""
    ask("tracker", "deploy", "shop", release, "--tracker", tracker, "--identity", site.papers("release-manager", "ann"))


def verified_bytes(site: Site) -> int:
    """Of the only release."""
    downloads = site.status()["downloads"]
    return int(downloads[0]["verified_bytes"]) if downloads else 0


def current(site: Site) -> dict[str, bytes]:
    """What the service sees."""
    directory = site.directory / "srv" / "shop" / "current"
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("*/*")}


def test_after_kill_9_in_mid_download_nothing_verified_is_fetched_again(site: Site) -> None:
    globally, tracker = site.trackers()
    site.seeder(tracker)
    daemon = site.daemon(tracker, download_bytes_per_s=SLOW_BYTES_PER_S)
    deploy(site, globally)
    until(lambda: verified_bytes(site) > SIZE_BYTES / 4)
    daemon.end(signal.SIGKILL)
    assert current(site) == {}
    site.daemon(tracker)
    until(lambda: site.shop_service()["state"] == "VERIFIED")
    status = site.p2pd("status")
    (release,) = status["downloads"]
    assert current(site) == TREE
    assert release["resumed_bytes"] > SIZE_BYTES / 4
    assert status["received_bytes"] <= SIZE_BYTES - release["resumed_bytes"] + release["received_twice_bytes"]
    assert sum(release["bytes_by_source"].values()) == SIZE_BYTES


def test_a_person_can_pause_resume_list_and_collect(site: Site) -> None:
    globally, tracker = site.trackers()
    site.seeder(tracker)
    site.daemon(tracker)
    assert site.p2pd("pause") == {"paused": True}
    deploy(site, globally)
    until(lambda: site.shop_service()["waits_for"] == "paused by the user")
    assert verified_bytes(site) == 0
    assert site.p2pd("resume") == {"paused": False}
    until(lambda: site.shop_service()["state"] == "VERIFIED")
    (release,) = site.p2pd("list")["releases"]
    assert (release["release"], release["finished"], release["why"]) == ("shop@1", True, "runs (shop)")
    assert site.p2pd("gc", "--dry-run") == {"removed": [], "dry_run": True}


def test_sigterm_ends_a_daemon_within_two_seconds(site: Site) -> None:
    daemon = site.daemon()
    begun = time.monotonic()
    assert daemon.end() == 0
    assert time.monotonic() - begun < 2.0


def test_an_idle_daemon_is_small_and_still(site: Site) -> None:
    _, tracker = site.trackers()
    seen: Idle = watch(site.daemon(tracker).process.pid, settle_s=2.0, seconds=3.0)
    assert seen.rss_bytes <= 80 * 2**20
    assert seen.cpu_share < 0.02  # the promise is 0.005; this machine may be busy, the exact figure is the benchmark's


def test_a_second_daemon_on_one_directory_is_refused(site: Site) -> None:
    site.daemon()
    second = run("p2pd", "run", "--config", str(site.directory / "p2pd.toml"))
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert second.stderr.startswith("p2pd: another process works on")


def test_an_unknown_key_is_named_with_the_nearest_known_one(site: Site) -> None:
    config = site.directory / "wrong.toml"
    config.write_text('state_directroy = "/x"\n')
    done = run("p2pd", "run", "--config", str(config))
    assert done.returncode == 2
    assert "did you mean 'state_directory'?" in done.stderr


def test_a_trust_root_that_is_not_there_fails_in_one_line(site: Site) -> None:
    wrong = site.daemon(trust_root=str(site.directory / "nowhere.json"))
    assert (wrong.end(), wrong.errors.count("\n")) == (1, 1), wrong.errors


def test_an_address_that_is_taken_fails_in_one_line(site: Site) -> None:
    taken = site.daemon().ready["listen"]
    wrong = site.daemon(listen=taken, state_directory=str(site.directory / "other"))
    assert (wrong.end(), wrong.errors.count("\n")) == (1, 1), wrong.errors


def test_a_memory_that_is_damaged_is_named_and_not_guessed(site: Site) -> None:
    memory = site.directory / "state" / "services" / "shop.json"
    memory.parent.mkdir(parents=True)
    memory.write_text("{")
    wrong = site.daemon()
    assert (wrong.end(), wrong.errors.count("\n")) == (1, 1), wrong.errors
    assert str(memory) in wrong.errors


def test_no_daemon_at_the_socket_is_unreachable(site: Site) -> None:
    assert run("p2pd", "status", "--socket", str(site.directory / "none")).returncode == 4


def test_help_costs_little(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "p2pd", "--help"], capture_output=True, timeout=20, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3
