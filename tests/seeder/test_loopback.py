"""The real command on real sockets, before a store that the real publisher filled."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
import pytest

from manifests.cli import main as p2p_manifest
from seeder.cli import main as p2p_seeder

STEP_S = 20
"""For a process to start, answer or end; it takes a fraction of a second."""
RELEASE = "shop@1.0"


@dataclass
class Shop:
    """A published release of one file."""

    store: Path
    root: Path
    manifest: str
    content: bytes

    @property
    def chunks(self) -> list[Path]:
        """Relative to the store."""
        return sorted(path.relative_to(self.store) for path in self.store.glob("chunks/*/*"))


class Seeder:
    """A `p2p-seeder serve` process."""

    def __init__(self, *flags: str) -> None:
        command = [sys.executable, "-m", "seeder", "serve", "--http", "127.0.0.1:0", "--insecure", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.url = f"http://{json.loads(line)['http']}" if line else ""

    def end(self) -> int:
        """Politely; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.errors = self.process.communicate(timeout=STEP_S)[1]
        return self.process.returncode


def publish(directory: Path) -> Shop:
    """As a publisher would, with both parties."""
    store, keys, root, artifact = (str(directory / name) for name in ("store", "keys", "root.json", "shop"))
    content = Random(1).randbytes(3_000_000)
    Path(artifact).write_bytes(content)
    roles = ("root", "targets", "online", "build", "release")
    key = {role: f"--{role}-key={keys}/{role}" for role in roles}
    commands = [
        *(["keys", "new", role, "--unencrypted", "--directory", keys] for role in roles),
        ["repo", "init", "--output", root, *(f"{key[role]}.key" for role in ("root", "targets", "online"))],
        ["repo", "add-product", "shop", f"{key['build']}.pub", f"{key['release']}.pub", f"{key['targets']}.key"],
        ["publish", artifact, "--product", "shop", "--version", "1.0"],
        *(["sign", RELEASE, "--party", party, "--key", f"{keys}/{party}.key"] for party in ("build", "release")),
        ["repo", "promote", "--key", f"{keys}/online.key"],
    ]
    for command in commands:
        where = [] if command[0] == "keys" else ["--store", store]
        assert p2p_manifest([*command, *where, "--quiet"]) == 0, command
    (manifest,) = (Path(store) / "manifests").iterdir()
    return Shop(Path(store), Path(root), manifest.name, content)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return publish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def seeder(shop: Shop) -> Iterator[Seeder]:
    """One for all tests that only ask."""
    running = Seeder("--store", str(shop.store))
    yield running
    assert running.end() == 0


@pytest.fixture
def own_seeder(shop: Shop, tmp_path: Path) -> Iterator[Seeder]:
    """With a cache directory, `tmp_path / "cache"`."""
    running = Seeder("--store", str(shop.store), "--cache-directory", str(tmp_path / "cache"))
    yield running
    if running.process.stdout and not running.process.stdout.closed:
        running.end()


def test_a_chunk_is_resumed_where_it_stopped(shop: Shop, seeder: Seeder) -> None:
    whole = (shop.store / shop.chunks[0]).read_bytes()
    fields = {"Range": "bytes=1000-", "If-Range": f'"{shop.chunks[0].name}"'}
    response = httpx.get(f"{seeder.url}/{shop.chunks[0]}", headers=fields, trust_env=False)
    assert (response.status_code, response.content) == (206, whole[1000:])


def test_a_connection_carries_a_whole_release(shop: Shop, seeder: Seeder) -> None:
    with httpx.Client(base_url=seeder.url, trust_env=False, timeout=STEP_S) as http:
        received = {path: http.get(f"/{path}").content for path in shop.chunks}
        numbers = http.get("/metrics").text
    assert received == {path: (shop.store / path).read_bytes() for path in shop.chunks}
    assert "seeder_http_connections 1\n" in numbers


def test_a_release_is_prefetched_by_its_name(shop: Shop, seeder: Seeder, capsys: pytest.CaptureFixture[str]) -> None:
    assert p2p_seeder(["prefetch", RELEASE, "--root", str(shop.root), "--url", seeder.url, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"release": RELEASE, "chunks": len(shop.chunks), "size_bytes": len(shop.content)}


def test_what_was_prefetched_is_not_fetched_from_the_store_again(
    shop: Shop, own_seeder: Seeder, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert p2p_seeder(["prefetch", shop.manifest, "--url", own_seeder.url, "--quiet"]) == 0
    p2p_seeder(["stats", "--url", own_seeder.url, "--json"])
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["seeder_origin_requests_total"] == len(shop.chunks) + 1
    assert numbers['seeder_cache_objects{tier="disk"}'] == len(shop.chunks) + 1


def test_an_unsigned_release_is_not_prefetched(shop: Shop, seeder: Seeder) -> None:
    command = ["prefetch", "shop@6.6", "--root", str(shop.root), "--url", seeder.url, "--quiet"]
    assert p2p_seeder(command) == 3


def test_a_release_that_the_store_has_lost_chunks_of_fails(shop: Shop, own_seeder: Seeder, tmp_path: Path) -> None:
    lost = shop.store / shop.chunks[0]
    lost.rename(tmp_path / "away")
    try:
        assert p2p_seeder(["prefetch", shop.manifest, "--url", own_seeder.url, "--quiet"]) == 1
    finally:
        (tmp_path / "away").rename(lost)


def test_a_seeder_that_is_not_there_is_unreachable() -> None:
    assert p2p_seeder(["stats", "--url", "http://127.0.0.1:1"]) == 4


def test_sigterm_ends_it_well(own_seeder: Seeder) -> None:
    httpx.get(f"{own_seeder.url}/healthz", trust_env=False)
    assert own_seeder.end() == 0


def test_a_second_seeder_on_one_cache_directory_is_refused(shop: Shop, own_seeder: Seeder, tmp_path: Path) -> None:
    second = Seeder("--store", str(shop.store), "--cache-directory", str(tmp_path / "cache"))
    assert (second.end(), second.url) == (2, "")
    assert second.errors.startswith("p2p-seeder: another seeder uses the cache directory")


def test_a_store_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    assert p2p_seeder(["serve", "--store", str(tmp_path / "nowhere")]) == 4


def test_an_address_that_is_taken_fails_in_one_line(shop: Shop, seeder: Seeder) -> None:
    command = [sys.executable, "-m", "seeder", "serve", "--store", str(shop.store), "--insecure"]
    command += ["--http", seeder.url[7:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_S, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_setting_that_is_none_is_named(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seeder.toml").write_text(f'store = "{shop.store}"\ncache_bites = 5\n')
    assert p2p_seeder(["serve", "--config", str(tmp_path / "seeder.toml")]) == 2
    assert "did you mean 'cache_bytes'?" in capsys.readouterr().err
