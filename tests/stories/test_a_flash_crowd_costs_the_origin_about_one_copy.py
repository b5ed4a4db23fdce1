"""Promise: however many ask at once, the origin pays about once."""

import trio.testing

from tests.stories.fleet import Fleet, visible

LINK_BYTES_PER_S = 4_000_000


async def test_a_flash_crowd_costs_the_origin_about_one_copy(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    release = fleet.publish("shop@1")
    hosts = await fleet.hosts(10, upload_bytes_per_s=LINK_BYTES_PER_S, download_bytes_per_s=LINK_BYTES_PER_S)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", hosts)
    assert all(visible(host) == release.files for host in hosts)
    assert fleet.seeder.sent_bytes <= 1.3 * release.size_bytes
