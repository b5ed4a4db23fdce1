"""Promise: of a small release a device fetches what is new in it, from whoever has it, and believes nobody."""

from collections.abc import Sequence
from typing import Any

import trio
import trio.testing

from manifests.blobs import manifest_path
from manifests.errors import NoSuchBlobError
from p2pd.httpmessages import Request, Response
from p2pd.httpserver import HttpServer
from p2pd.metrics import samples
from tests.stories.fleet import Fleet, visible
from tests.stories.liars import Poison, join_as_liar
from tests.stories.packing import TINY_EDIT_BYTES, edited, publish_packed
from tests.stories.publisher import Release, make_files
from tests.stories.services import Host


class Misleading(Poison):
    """Content whose manifest is never the one that was asked for, and leads to none."""

    async def make_edits(self, swarm: bytes, held: Sequence[bytes]) -> tuple[bytes, bytes] | None:
        """Edits of what the device holds, to something else."""
        self.served += 1
        return held[0], b"\x01" + swarm


async def tiny_update(fleet: Fleet, hosts: int, **settings: object) -> tuple[Release, list[Host]]:
    """So many hosts run shop@1; shop@2 differs from it in a few words. It is published, not deployed."""
    files = make_files()
    first = fleet.publish("shop@1", files)
    running = await fleet.hosts(hosts, **settings)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", running)
    names = sorted(files)[:2]
    changed = files | edited({name: files[name] for name in names}, edit_bytes=TINY_EDIT_BYTES)
    release, _ = publish_packed(fleet, "shop@2", changed, first)
    assert release.manifest.packs[0].small
    return release, running


def counted(host: Host) -> dict[str, float]:
    """What the host's metrics say of manifests."""
    assert host.daemon is not None
    found = samples(host.daemon, trio.current_time())
    return {"".join((one.name, *one.labels.values())): one.value for one in found}


async def run_second(fleet: Fleet, release: Release, hosts: list[Host]) -> None:
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", hosts)
    assert all(visible(host) == release.files for host in hosts)


async def serve_store(fleet: Fleet, address: str, below: str = "") -> list[str]:
    """A CDN: the blob store's objects by plain HTTP. What is asked for, and how that was answered."""
    network, asked = fleet.network.host(address.partition(":")[0]), list[str]()
    server = HttpServer(utc_now=lambda: 0.0)

    async def answer(request: Request) -> Response:
        path = request.path.removeprefix("/")
        try:
            data = fleet.store.get(path if path.startswith(below) else "nothing")
        except NoSuchBlobError:
            asked.append(f"404 {path}")
            return Response(404, {}, b"")
        asked.append(f"200 {path}")
        return Response(200, {}, data)

    fleet.nursery.start_soon(server.serve, await network.listen(address), answer)
    return asked


async def test_the_manifest_comes_as_edits_and_the_rest_as_one_object(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, (host,) = await tiny_update(fleet, 1)
    await run_second(fleet, release, [host])
    metrics, pack = counted(host), release.manifest.packs[0]
    assert 0 < metrics["p2pd_manifest_bytes_totaledits"] < release.manifest_bytes
    assert metrics["p2pd_manifest_saved_bytes_total"] == (
        release.manifest_bytes - metrics["p2pd_manifest_bytes_totaledits"]
    )
    assert metrics["p2pd_pack_bytes_total"] == pack.manifest_bytes
    assert metrics["p2pd_fallback_bytes_total"] == 0
    status = await host.ask("status")
    assert [one["bytes"] for one in status["patching"]["small_packs"]] == [pack.manifest_bytes]


async def test_a_host_has_both_from_another_host(autojump_clock: trio.testing.MockClock, fleet: Fleet) -> None:
    await serve_store(fleet, "cdn:80", below="metadata/")
    release, (early, late) = await tiny_update(fleet, 2, origins=("http://cdn:80",))
    await late.stop()
    await run_second(fleet, release, [early])
    await fleet.seeder.stop()
    await late.start()
    await fleet.until_running("shop@2", [late])
    assert visible(late) == release.files
    assert counted(late)["p2pd_manifest_bytes_totaledits"] > 0
    assert counted(late)["p2pd_pack_bytes_total"] == release.manifest.packs[0].manifest_bytes


async def test_a_device_that_has_only_a_cdn_has_both_from_there_and_asks_nothing_in_vain(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    asked = await serve_store(fleet, "cdn:80")
    release, (host,) = await tiny_update(fleet, 1, origins=("http://cdn:80",))
    await fleet.seeder.stop()
    await trio.sleep(120)
    asked.clear()
    await run_second(fleet, release, [host])
    assert f"200 edits/{release.digest.hex()}/{release.manifest.packs[0].base.hex()}" in asked
    assert f"200 {manifest_path(release.manifest.packs[0].manifest)}" in asked
    assert not [one for one in asked if manifest_path(release.digest) in one]
    assert not [one for one in asked if one.startswith("404") and not one.startswith("404 metadata/")]
    assert counted(host)["p2pd_manifest_bytes_totaledits"] > 0


async def test_who_answers_with_edits_to_something_else_is_passed_over(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, (host,) = await tiny_update(fleet, 1)
    liars = [Misleading(release) for _ in range(3)]
    for number, liar in enumerate(liars):
        await join_as_liar(fleet, release, liar, f"liar-{number}")
    await run_second(fleet, release, [host])
    assert sum(liar.served for liar in liars) > 0
    assert counted(host)["p2pd_refused_edits_total"] == 1
    assert counted(host)["p2pd_manifest_bytes_totalwhole"] >= release.manifest_bytes


async def test_a_damaged_old_manifest_makes_the_new_one_come_whole(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, (host,) = await tiny_update(fleet, 1)
    assert host.daemon is not None
    (old,) = host.daemon.store.artifacts
    path = f"{host.daemon.config.state_directory}/manifests/{old.hex()}"
    damage(host, path)
    await run_second(fleet, release, [host])
    metrics: dict[str, Any] = counted(host)
    assert metrics["p2pd_manifest_bytes_totaledits"] == 0
    assert metrics["p2pd_manifest_bytes_totalwhole"] >= release.manifest_bytes


def damage(host: Host, path: str) -> None:
    """A byte in the middle of a file is another."""
    data = host.disk.read_all(path, 2**20)
    middle = len(data) // 2
    host.disk.write(path, middle, bytes([data[middle] ^ 1]))


async def test_without_the_small_pack_its_pieces_come_as_they_are(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release, (host,) = await tiny_update(fleet, 1)
    fleet.store.remove(manifest_path(release.manifest.packs[0].manifest))
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host], within_s=120)
    assert visible(host) == release.files
    assert counted(host)["p2pd_fallback_bytes_total"] > 0
