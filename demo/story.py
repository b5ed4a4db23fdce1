"""The story: a release goes out, a host crashes, a change follows, a bad one comes and goes, and all is taken back."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from . import tree
from .board import Board
from .configs import PRODUCT
from .errors import DemoError
from .fleet import Fleet
from .nodes import Download, Node
from .publisher import Publisher, Release
from .verdict import Figures, refetched

PHASE_S: Final = 180.0
"""No step takes longer, on two cores with a slow disk."""
POLL_S: Final = 0.25
CLOSE_POLL_S: Final = 0.05
"""Where the moment matters."""
KILL_FROM: Final = 0.25
"""Share of release 1 that the victim has when it is killed: enough to lose, and enough still to come."""
KILL_UNTIL: Final = 0.9
VICTIM: Final = "host-5"


class Story:
    """Tells it on the board and writes down the figures."""

    def __init__(self, publisher: Publisher, fleet: Fleet, board: Board, figures: Figures, directory: Path) -> None:
        self.publisher, self.fleet, self.board, self.figures = publisher, fleet, board, figures
        self.directory = directory

    async def tell(self) -> None:
        """All of it; DemoError when it can't go on."""
        first = await self._make_first()
        await self._start_fleet()
        await self._deploy_first(first)
        second = await self._deploy_second()
        await self._deploy_unhealthy(second)
        await self._roll_back(first)
        self.board.finish()

    async def _make_first(self) -> Release:
        self.board.begin("Make release 1 of what is installed here")
        made = await trio.to_thread.run_sync(self._build)
        self.figures.artifact_bytes = made.total_bytes
        self.board.begin("Make keys for two parties, publish release 1")
        await self.publisher.prepare()
        return await self.publisher.publish("1", made.path)

    def _build(self) -> tree.Tree:
        def progress(text: str) -> None:
            trio.from_thread.run_sync(self.board.detail, text)

        return tree.build(self.directory / "1", progress=progress)

    async def _start_fleet(self) -> None:
        self.board.begin("Start two trackers, a seeder and the daemons")
        await self.fleet.start(self.board.detail)

    async def _deploy_first(self, release: Release) -> None:
        self.board.begin("Deploy release 1; kill -9 one host in mid-download, start it again")
        self.board.fetching(release.name, release.size)
        started = time.monotonic()
        await self.fleet.deploy(release.name)
        again = await self._crash(release)
        await self._until("release 1 runs everywhere", lambda: self._all_run(release))
        self.figures.release_1_seconds = time.monotonic() - started
        self.figures.origin_copies = self.board.origin_copies
        self._weigh_first(release, *again)

    def _weigh_first(self, release: Release, before: Download, resumed: int) -> None:
        downloads = [node.download(release.name) for node in self.board.nodes.values()]
        stored = sum(self.board.nodes[VICTIM].download(release.name).by_tier.values())
        self.figures.refetched_verified_bytes = refetched(before.verified, resumed, release.size, stored)
        self.figures.duplicate_bytes = sum(download.duplicate for download in downloads)
        from_peers = sum(download.from_peers for download in downloads)
        fetched = sum(download.fetched for download in downloads)
        self.figures.peer_share = from_peers / fetched if fetched else 0.0

    async def _crash(self, release: Release) -> tuple[Download, int]:
        """Kill the victim in mid-download and start it again. What it had before, and the bytes it resumed with."""

        def download() -> Download:
            return self.board.nodes[VICTIM].download(release.name)

        enough = KILL_FROM * release.size
        await self._until("the victim is in mid-download", lambda: download().verified >= enough, CLOSE_POLL_S)
        before = download()
        await self.fleet.kill(VICTIM)
        share = before.verified / release.size
        if share > KILL_UNTIL:
            raise DemoError(f"{VICTIM} was already at {share:.0%} when it was to be killed in mid-download")
        self.figures.killed_at_share = share
        self.board.event(f"{VICTIM} killed with -9 at {share:.0%}")
        await self.fleet.start_daemon(VICTIM)
        await self._until("the victim goes on", lambda: download().under_way, CLOSE_POLL_S)
        resumed = download().resumed
        self.board.event(f"{VICTIM} started again, and found {resumed / release.size:.0%} on its disk")
        return before, resumed

    async def _deploy_second(self) -> Release:
        self.board.begin("Make release 2: a run of modules compiled anew, about 5 % of all bytes")
        first = tree.measure(self.directory / "1")
        made = await trio.to_thread.run_sync(tree.rebuild, first, self.directory / "2")
        release = await self.publisher.publish("2", made.path)
        self.board.begin("Deploy release 2: only what changed travels")
        self.board.fetching(release.name, release.size)
        started = time.monotonic()
        await self.fleet.deploy(release.name)
        await self._until("release 2 runs everywhere", lambda: self._all_run(release))
        self.figures.release_2_seconds = time.monotonic() - started
        downloads = [node.download(release.name) for node in self.board.nodes.values()]
        fetched = [download.fetched + download.duplicate for download in downloads]
        self.figures.second_release_fetched_share = max(fetched) / release.size
        return release

    async def _deploy_unhealthy(self, good: Release) -> None:
        self.board.begin("Deploy release 3, whose health check fails: the fleet goes back to 2 by itself")
        made = await trio.to_thread.run_sync(tree.spoil, tree.measure(self.directory / "2"), self.directory / "3")
        bad = await self.publisher.publish("3", made.path)
        self.board.fetching(bad.name, bad.size)
        started = time.monotonic()
        await self.fleet.deploy(bad.name)
        await self._until("every host tried release 3 and went back to 2", lambda: self._all_reverted(bad, good))
        self.figures.revert_seconds = time.monotonic() - started
        self.board.begin("Verify every file of release 2 on every host")
        intact = await self._verify(good)
        self.figures.unhealthy_release_reverted = intact

    async def _roll_back(self, first: Release) -> None:
        self.board.begin("Roll back to release 1")
        self.board.artifact = ""
        started = time.monotonic()
        await self.fleet.roll_back(first.name)
        await self._until("release 1 runs everywhere again", lambda: self._all_run(first))
        self.figures.rollback_seconds = time.monotonic() - started
        self.figures.rollback_ok = True
        self.board.begin("Verify every file of release 1 on every host")
        intact = await self._verify(first)
        self.figures.all_digests_ok = intact and bool(self.figures.unhealthy_release_reverted)

    async def _verify(self, release: Release) -> bool:
        """`p2p-manifest verify` of what every host runs now; False when the wrong release runs or a byte is off."""
        for number, name in enumerate(self.board.nodes, start=1):
            current = self.fleet.current(name)
            if not await self.publisher.verify(current, release):
                self.board.event(f"{name}: {current} is not {release.name}")
                return False
            self.board.detail(f"{number} of {len(self.board.nodes)} hosts")
        return True

    def _all_run(self, release: Release) -> bool:
        return all(self._runs(node, release) for node in self.board.nodes.values())

    def _runs(self, node: Node, release: Release) -> bool:
        return (
            node.running_release == release.name
            and node.goal_release == release.name
            and node.state == "VERIFIED"
            and self.fleet.current(node.name).name.startswith(f"{release.version}-")
        )

    def _all_reverted(self, bad: Release, good: Release) -> bool:
        return all(
            node.goal_release == bad.name
            and node.state == "FAILED"
            and node.running_release == good.name
            and self.fleet.current(node.name).name.startswith(f"{good.version}-")
            for node in self.board.nodes.values()
        )

    async def _until(self, what: str, reached: Callable[[], bool], poll_s: float = POLL_S) -> None:
        """Watch the fleet until this is so; DemoError with what each host waits for when it takes too long."""
        with trio.move_on_after(PHASE_S):
            while True:
                await self.fleet.look()
                if reached():
                    return
                await trio.sleep(poll_s)
        waiting = "\n".join(map(_complaint, self.board.nodes.values()))
        raise DemoError(f"not within {PHASE_S:.0f} s: {what}\n{waiting}")


def _complaint(node: Node) -> str:
    return f"  {node.name}: {node.state}, runs {node.running_release or 'nothing'}; {node.error or node.waits_for}"


def space_needed(nodes: int) -> int:
    """Bytes of disk that the demo may use: the sources, the origin, the shield's cache, and three releases a host."""
    return (3 * nodes + 6) * tree.TREE_BYTES_MIN * 5 // 4


def check_space(directory: Path, nodes: int) -> None:
    """DemoError when the disk is too small for it."""
    free, needed = shutil.disk_usage(directory).free, space_needed(nodes)
    if free < needed:
        raise DemoError(
            f"{PRODUCT}: {directory} has {free / 2**30:.1f} GiB free, the demo needs {needed / 2**30:.1f};"
            " name another place with --directory"
        )
