"""Who vouches for what, while there is nobody to ask."""

from pathlib import Path
from random import Random

import httpx
from trio.testing import MockClock

from manifests.blobs import BlobStore
from manifests.trust import TrustChain
from p2pd.origins import Origins
from p2pd.resolver import Resolver
from tests.fakes.network import MemoryNetwork
from tests.fakes.world import memory_world
from tests.manifests.factory import DIGEST, RELEASE, Client, Publisher


async def test_without_a_source_of_metadata_what_was_read_before_counts(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    publisher = Publisher(BlobStore(str(tmp_path / "store"), create=True))
    publisher.sign()
    publisher.promote()
    known = Client(publisher, tmp_path / "cache")
    known.look_up()
    chain = TrustChain(publisher.root, known.cache, lambda: publisher.now.timestamp() + 3_600)
    async with httpx.AsyncClient() as client:
        resolver = Resolver(memory_world(MemoryNetwork().host("here")), chain, Origins(client, [], Random(1)))
        assert (await resolver.resolve(RELEASE)).digest == DIGEST
