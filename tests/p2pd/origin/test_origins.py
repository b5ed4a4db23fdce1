"""Which HTTP sources there are today."""

from random import Random

import httpx

from p2pd.origins import Origins
from p2pd.wire.announce import PeerInfo


def shield(name: str) -> PeerInfo:
    return PeerInfo(name, f"{name}:7", "eu", "seeder", complete=True, http_url=f"http://{name}:80")


async def test_shields_named_in_another_order_keep_what_is_known_of_their_health() -> None:
    async with httpx.AsyncClient() as client:
        origins = Origins(client, (), Random(1))
        origins.use_seeders([shield("a"), shield("b"), shield("c")])
        before = origins.present.snapshot()
        origins.use_seeders([shield("c"), shield("a"), shield("b"), shield("a")])
        assert origins.present.snapshot() == before


async def test_another_shield_is_taken_up() -> None:
    async with httpx.AsyncClient() as client:
        origins = Origins(client, ("http://cdn",), Random(1))
        origins.use_seeders([shield("a")])
        origins.use_seeders([shield("b")])
        assert [fact.base_url for fact in origins.present.snapshot()] == ["http://b:80", "http://cdn"]
