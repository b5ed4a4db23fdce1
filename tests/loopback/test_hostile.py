"""A daemon under everything at once: it finishes what it fetches, and its enemies get little of its time.

Only ratios of processor time are asserted: `python -m benchmarks.hostile` measures rates, on a machine that is quiet.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.hostile.__main__ import SETTLE_S, TOGETHER, WATCH_S, cpu_share, rss_bytes
from benchmarks.hostile.rows import CPU_SHARE_MAX, GROWN_BYTES_MAX
from benchmarks.hostile.scene import Scene

SIZE_BYTES = 32 * 2**20
PATIENCE = 2
"""How much more a machine may take on which other tests run."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, SIZE_BYTES)
    try:
        made.set_up()
        yield made
    finally:
        made.close()


def test_a_download_goes_on_while_enemies_of_all_kinds_get_little(scene: Scene) -> None:
    ours = scene.download().said
    before = rss_bytes(scene.daemon_pid)
    with scene.attack(TOGETHER, ours["swarm"], ours["pieces"]):
        time.sleep(SETTLE_S)
        share = cpu_share(scene.daemon_pid, WATCH_S)
        scene.download()
        grown = rss_bytes(scene.daemon_pid) - before
    assert share <= PATIENCE * CPU_SHARE_MAX
    assert grown <= PATIENCE * GROWN_BYTES_MAX
