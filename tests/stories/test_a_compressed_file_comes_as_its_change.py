"""Promise: of a compressed file only the change of what it holds travels, where a host can compress it again."""

import gzip

import trio.testing

from p2pd.patching.config import PatchingConfig
from p2pd.patching.reopening import DIRECTORY
from tests.stories.fleet import Fleet, visible
from tests.stories.packing import edited, publish_packed, words
from tests.stories.publisher import Files, make_files


def compressed(files: Files) -> Files:
    """Each file by gzip, beside what does not change."""
    return make_files(files=2) | {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in files.items()}


async def test_it_is_made_again_byte_for_byte_and_nothing_is_left_behind(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    texts = words(files=4)
    first = fleet.publish("shop@1", compressed(texts))
    (host,) = await fleet.hosts(1)
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    release, (pack,) = publish_packed(fleet, "shop@2", compressed(edited(texts, edit_bytes=40)), first)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert host.daemon is not None
    made = host.daemon.store.artifacts[release.digest].bytes_by_source
    assert set(made) <= {"patch", "local"}
    assert pack.size < 0.2 * made["patch"]
    packs = host.daemon.downloads.patching.shelf.store
    assert host.disk.list_directory(f"{packs.directory}/{DIRECTORY}") == []


async def test_a_host_that_may_not_use_the_memory_fetches_it_as_it_is(
    autojump_clock: trio.testing.MockClock, fleet: Fleet
) -> None:
    texts = words(files=4)
    first = fleet.publish("shop@1", compressed(texts))
    (host,) = await fleet.hosts(1, patching=PatchingConfig(recompressing_bytes_max=0))
    await fleet.deploy("shop@1")
    await fleet.until_running("shop@1", [host])
    release, _ = publish_packed(fleet, "shop@2", compressed(edited(texts, edit_bytes=40)), first)
    await fleet.deploy("shop@2")
    await fleet.until_running("shop@2", [host])
    assert visible(host) == release.files
    assert host.daemon is not None
    assert host.daemon.downloads.patching.counts.fallback_bytes > 0
