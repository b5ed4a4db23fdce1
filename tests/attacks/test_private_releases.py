"""A device whose certificate is for other products wants a release that is private to `shop`, and tries every door.

It knows what anybody can know: the release's name and its manifest's digest, which stand in the signed metadata.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from manifests.blobs import chunk_path, edits_path, manifest_path
from p2pd.wire import bits
from p2pd.wire.codec import encode
from p2pd.wire.connection import BlockReceived, Event, Joined, PeerConnection
from p2pd.wire.messages import Hello, Join, ManifestPart, ManifestRequest, Message, Request
from p2pd.world.http import client
from p2pd.world.network import Identity
from tests.fakes.network import MemoryNetwork
from tests.stories.fleet import Fleet
from tests.stories.packing import edited, publish_packed
from tests.stories.publisher import Release, make_files

CHANNEL = 1
WAIT_S = 5.0
DOORS = ("peer", "shield")


@dataclass(frozen=True)
class Shop:
    """A fleet in which a host at `owner` runs the release, which the seeder has too."""

    network: MemoryNetwork
    release: Release
    owner: str


class Device:
    """One of the fleet, with a true certificate for these products."""

    def __init__(self, shop: Shop, *products: str) -> None:
        self.release, self.pieces = shop.release, shop.release.manifest.pieces
        identity = Identity("device", "eu", "daemon", proven=True, products=products)
        self.host = shop.network.host("device", identity)
        self.addresses = {"shield": "seeder:7", "peer": shop.owner}

    async def ask(self, door: str, *said: Message) -> list[Event]:
        """All that is said in return within some seconds, to `hello` and to this."""
        stream = await self.host.dial(self.addresses[door])
        connection = PeerConnection(Hello(1, "default", "device", "eu", "daemon", "device:1"))
        await stream.send_all(connection.hello(), *map(encode, said))
        heard: list[Event] = []
        with trio.move_on_after(WAIT_S):
            while data := await stream.receive_some():
                heard.extend(connection.receive(data))
        await stream.aclose()
        return heard

    async def manifest(self, door: str) -> bytes:
        """What it is given of the manifest."""
        return await self.object(door, self.release.digest)

    async def small_pack(self, door: str) -> bytes:
        """What it is given of the pack."""
        return await self.object(door, self.release.manifest.packs[0].manifest)

    async def object(self, door: str, digest: bytes) -> bytes:
        """What it is given under this name."""
        heard = await self.ask(door, ManifestRequest(digest, 0))
        return b"".join(one.data for one in heard if isinstance(one, ManifestPart))

    async def pieces_of(self, door: str) -> list[Event]:
        """It joins the swarm, and asks for every piece whether it is named to it or not."""
        join = Join(CHANNEL, self.release.digest, self.pieces, bits.to_bitfield(0, self.pieces))
        heard = await self.ask(door, join, *(Request(CHANNEL, piece) for piece in range(self.pieces)))
        return [one for one in heard if isinstance(one, Joined | BlockReceived)]

    async def get(self, path: str, method: str = "GET", **headers: str) -> int:
        """The shield's HTTP: the status."""
        async with client(self.host) as http:
            return (await http.request(method, f"http://seeder:80/{path}", headers=headers)).status_code


@pytest.fixture
async def shop(autojump_clock: MockClock, tmp_path: Path) -> AsyncIterator[Shop]:
    async with trio.open_nursery() as nursery:
        fleet = Fleet(nursery, tmp_path)
        await fleet.open()
        first = fleet.publish("shop@1", make_files(files=2))
        (host,) = await fleet.hosts(1)
        await fleet.deploy("shop@1")
        await fleet.until_running("shop@1", [host])
        release, _ = publish_packed(fleet, "shop@2", edited(first.files, edit_bytes=20), first)
        await fleet.deploy("shop@2")
        await fleet.until_running("shop@2", [host])
        assert host.daemon is not None
        yield Shop(fleet.network, release, host.daemon.address)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("door", DOORS)
async def test_another_products_device_gets_no_manifest_of_it(shop: Shop, autojump_clock: MockClock, door: str) -> None:
    assert await Device(shop, "other", "sho").manifest(door) == b""


@pytest.mark.parametrize("door", DOORS)
async def test_another_products_device_gets_no_small_pack_of_it(
    shop: Shop, autojump_clock: MockClock, door: str
) -> None:
    assert await Device(shop, "other", "sho").small_pack(door) == b""


@pytest.mark.parametrize("door", DOORS)
async def test_another_products_device_gets_no_piece_of_it(shop: Shop, autojump_clock: MockClock, door: str) -> None:
    assert await Device(shop, "other").pieces_of(door) == []


@pytest.mark.parametrize("method, headers", [("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=0-99"})])
async def test_another_products_device_gets_no_manifest_by_http(
    shop: Shop, autojump_clock: MockClock, method: str, headers: dict[str, str]
) -> None:
    device = Device(shop, "other")
    assert await device.get(manifest_path(device.release.digest), method, **headers) == 403


async def test_another_products_device_gets_no_edits_that_lead_to_it(shop: Shop, autojump_clock: MockClock) -> None:
    path = edits_path(shop.release.digest, shop.release.manifest.packs[0].base)
    assert await Device(shop, "other").get(path) == 403
    assert await Device(shop, "shop").get(path) == 200


@pytest.mark.parametrize("path", ["", "chunks", "chunks/", "manifests/", "metadata/", "chunks/../manifests"])
async def test_nobody_is_told_which_chunks_there_are(shop: Shop, autojump_clock: MockClock, path: str) -> None:
    assert await Device(shop).get(path) == 404


async def test_its_own_device_gets_all_of_it(shop: Shop, autojump_clock: MockClock) -> None:
    """So that the refusals above are for the certificate's sake."""
    device = Device(shop, "other", "shop")
    for door in DOORS:
        assert await device.manifest(door)
        assert await device.small_pack(door)
        assert any(isinstance(one, BlockReceived) for one in await device.pieces_of(door))
    assert await device.get(manifest_path(device.release.digest)) == 200
    assert await device.get(chunk_path(device.release.manifest.digest(0))) == 200
