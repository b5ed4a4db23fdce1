"""A seeder in a network in memory: what its HTTP promises to a CDN."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import trio
from trio.testing import MockClock

from manifests.blobs import manifest_path
from manifests.codec import encode
from manifests.digest import manifest_digest
from p2pd.prometheus import parse
from p2pd.world.http import client
from p2pd.world.network import Identity
from seeder.config import SeederConfig
from seeder.service import Running, run
from tests.fakes.disk import MemoryDisk
from tests.fakes.network import MemoryNetwork
from tests.p2pd.exchange.helpers import make_release

from .helpers import CountingStore, world_of

DATA = bytes(range(256)) * 4
TIMESTAMP = "metadata/timestamp.json"


@dataclass
class Site:
    """A seeder, its store, and a client."""

    store: CountingStore
    running: Running
    http: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A GET with these fields."""
        return await self.http.get(f"/{path}", headers={name.replace("_", "-"): text for name, text in headers.items()})


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    network, store = MemoryNetwork(), CountingStore()
    config = SeederConfig(store="memory:///", http_listen="seeder:80", cache_directory="/cache", stop_s=5)
    world = world_of(network.host("seeder"), MemoryDisk())
    async with trio.open_nursery() as nursery, client(network.host("client"), connections_max=300) as http:
        running = await nursery.start(run, config, world, store)
        http.base_url = httpx.URL(f"http://{running.http_address}")
        yield Site(store, running, http)
        nursery.cancel_scope.cancel()


async def test_a_chunk_may_be_kept_for_ever_under_its_digest(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        response = await here.get(path)
    assert response.content == DATA
    assert response.headers["etag"] == f'"{path[-64:]}"'
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["accept-ranges"] == "bytes"


async def test_a_manifest_is_served_by_its_digest(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = manifest_path(manifest_digest(DATA))
        here.store.put(path, DATA)
        assert (await here.get(path)).content == DATA


async def test_a_version_of_metadata_may_be_kept_for_ever(autojump_clock: MockClock) -> None:
    async with site() as here:
        here.store.put_new("metadata/1.root.json", b"{}")
        response = await here.get("metadata/1.root.json")
    assert (response.content, response.headers["content-type"]) == (b"{}", "application/json")
    assert "immutable" in response.headers["cache-control"]


async def test_metadata_is_packed_for_those_who_like_it_so(autojump_clock: MockClock) -> None:
    data = b'{"signed": "' + b"0" * 5_000 + b'"}'
    async with site() as here:
        here.store.put_new("metadata/1.root.json", data)
        plain = await here.get("metadata/1.root.json", accept_encoding="identity")
        packed = await here.get("metadata/1.root.json", accept_encoding="gzip")
    assert (plain.content, packed.content) == (data, data)  # httpx unpacks
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 200
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_content_is_never_packed(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(bytes(5_000))
        response = await here.get(path, accept_encoding="gzip")
    assert "content-encoding" not in response.headers


async def test_a_timestamp_may_be_kept_for_a_second(autojump_clock: MockClock) -> None:
    async with site() as here:
        here.store.replace(TIMESTAMP, b"{}")
        response = await here.get(TIMESTAMP)
    assert response.headers["cache-control"] == "public, max-age=1"


async def test_a_new_timestamp_has_another_etag(autojump_clock: MockClock) -> None:
    async with site() as here:
        here.store.replace(TIMESTAMP, b"1")
        old = await here.get(TIMESTAMP)
        here.store.replace(TIMESTAMP, b"2")
        await trio.sleep(1)
        response = await here.get(TIMESTAMP, if_none_match=old.headers["etag"])
    assert (response.status_code, response.content) == (200, b"2")


async def test_a_part_is_sent_on_request(autojump_clock: MockClock) -> None:
    async with site() as here:
        response = await here.get(here.store.put_chunk(DATA), range="bytes=100-199")
    assert (response.status_code, response.content) == (206, DATA[100:200])
    assert response.headers["content-range"] == "bytes 100-199/1024"


async def test_a_part_outside_is_refused_with_the_length(autojump_clock: MockClock) -> None:
    async with site() as here:
        response = await here.get(here.store.put_chunk(DATA), range="bytes=2000-")
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */1024")


async def test_who_has_it_gets_no_body(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        response = await here.get(path, if_none_match=f'"{path[-64:]}"')
    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", f'"{path[-64:]}"')


async def test_a_head_tells_the_length_and_fills_the_cache(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        response = await here.http.head(f"/{path}")
        await here.get(path)
    assert (response.headers["content-length"], response.content, here.store.gets[path]) == ("1024", b"", 1)


async def test_two_hundred_who_ask_at_once_cost_the_store_one_request(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        answers: list[bytes] = []

        async def ask() -> None:
            answers.append((await here.get(path)).content)

        async with trio.open_nursery() as askers:
            for _ in range(200):
                askers.start_soon(ask)
        numbers = parse((await here.get("metrics")).text)
    assert (answers, here.store.gets[path]) == ([DATA] * 200, 1)
    assert numbers["seeder_origin_bytes_total"] == 1024
    assert numbers['seeder_served_bytes_total{door="http"}'] == 200 * 1024


async def test_a_corrupt_chunk_is_a_bad_gateway_that_no_cache_keeps(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        here.store.replace(path, DATA[::-1])
        response = await here.get(path)
        numbers = parse((await here.get("metrics")).text)
    assert (response.status_code, response.headers["cache-control"]) == (502, "no-store")
    assert DATA[::-1] not in response.content
    assert numbers['seeder_origin_failures_total{fault="corrupt"}'] == 1


async def test_a_store_that_is_away_is_a_reason_to_come_back(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        here.store.away = True
        response = await here.get(path)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "path",
    [
        "metadata/../keys/build.pem",
        "metadata/%2e%2e/keys/build.pem",
        "chunks/../../etc/passwd",
        "/etc/passwd",
        "metadata/1.root.json%00",
        "metadata/1.root.json/",
        "releases/web/1.json",
        "",
    ],
)
async def test_a_path_that_is_none_of_ours_never_reaches_the_store(path: str, autojump_clock: MockClock) -> None:
    async with site() as here:
        here.store.put_new("keys/build.pem", b"secret")
        url = httpx.URL(str(here.http.base_url)).copy_with(raw_path=f"/{path}".encode())
        response = await here.http.get(url)
        assert (response.status_code, dict(here.store.gets)) == (404, {})


async def test_a_query_changes_nothing(autojump_clock: MockClock) -> None:
    async with site() as here:
        path = here.store.put_chunk(DATA)
        assert (await here.get(f"{path}?x=1")).content == DATA


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "PUT"])
async def test_other_methods_are_refused(method: str, autojump_clock: MockClock) -> None:
    async with site() as here:
        response = await here.http.request(method, "/healthz")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_it_says_that_it_is_well(autojump_clock: MockClock) -> None:
    async with site() as here:
        assert (await here.get("healthz")).text == "ok\n"


async def test_told_to_stop_it_finishes_what_it_began(autojump_clock: MockClock) -> None:
    async with site() as here:
        path, answers = here.store.put_chunk(DATA), []

        async def ask() -> None:
            answers.append((await here.get(path)).content)

        async with trio.open_nursery() as askers:
            askers.start_soon(ask)
            await trio.sleep(0.01)
            here.running.stop()
        with pytest.raises(httpx.ConnectError):
            await here.get(path)
    assert answers == [DATA]


async def test_a_manifest_is_for_those_whose_certificate_names_its_product(autojump_clock: MockClock) -> None:
    network, store = MemoryNetwork(), CountingStore()
    manifest, _, _ = make_release(3)
    path = manifest_path(manifest_digest(encode(manifest)))
    store.put(path, encode(manifest))
    config = SeederConfig(store="memory:///", http_listen="seeder:80")
    async with trio.open_nursery() as nursery:
        running = await nursery.start(run, config, world_of(network.host("seeder"), MemoryDisk()), store)
        codes = {}
        for products in ((), ("web",), ("api",)):
            reader = Identity("reader", "eu", "daemon", proven=True, products=products)
            async with client(network.host("reader", reader)) as http:
                codes[products] = (await http.get(f"http://{running.http_address}/{path}")).status_code
        nursery.cancel_scope.cancel()
    assert codes == {(): 200, ("web",): 200, ("api",): 403}
