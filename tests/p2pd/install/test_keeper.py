"""A service kept where its goal says, on a disk in memory, with scripted commands, through kills and power cuts."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
import trio

from manifests.errors import UnknownReleaseError
from manifests.names import ReleaseName
from manifests.trust import Approved
from p2pd.install import Installer, Keeper, Lifecycle, ServiceStatus, load_memory
from p2pd.store import Artifact, NoSpaceError, Store
from p2pd.wire.announce import Goal
from p2pd.world import Args, T, World
from p2pd.world.processes import Exit
from tests.fakes.disk import MemoryDisk, PowerCut
from tests.fakes.processes import Ran, ScriptedProcesses
from tests.p2pd.store.releases import fill, is_exactly, noise, opened, sample

DIRECTORY = "/srv/web"
MEMORY = "/var/state/services/web.json"
RELEASES = {version: sample(version, ro=noise(version, 700)) for version in ("1", "2", "3")}


class UnreachableError(Exception):
    """Nobody answers."""


async def inline(function: Callable[[*Args], T], *args: *Args) -> T:
    await trio.lowlevel.checkpoint()
    return function(*args)


def make_world(disk: MemoryDisk, processes: ScriptedProcesses) -> World:
    nothing: Any = None
    return World(nothing, disk, processes, nothing, lambda: 0.0, Random(1), inline)


class Host:
    """A host whose releases come out of the air. `trouble` is raised, once each, by resolve and fetch."""

    def __init__(self, disk: MemoryDisk, sick: tuple[str, ...] = (), **options: Any) -> None:
        self.disk = disk
        self.sick = sick
        self.reports: list[ServiceStatus] = []
        self.trouble: dict[str, list[Exception]] = {"resolve": [], "fetch": []}
        self.processes = ScriptedProcesses(self._answer)
        world = make_world(disk, self.processes)
        self.store: Store = opened(disk)
        life = Lifecycle("web", "web", rng=world.rng, remembered=load_memory(world, MEMORY))
        installer = Installer(world, "web", DIRECTORY, restart=("restart", "web"), **options)
        self.keeper = Keeper(
            world,
            life,
            installer,
            MEMORY,
            resolve=self._resolve,
            fetch=self._fetch,
            report=self.reports.append,
            unreachable=(UnreachableError,),
        )

    def _answer(self, ran: Ran) -> Exit:
        sick = ran.environment["P2P_RELEASE"].partition("@")[2] in self.sick
        return Exit(1, "sick") if sick and ran.argv[0] != "restart" else Exit(0, "")

    async def _resolve(self, name: ReleaseName) -> Approved:
        if self.trouble["resolve"]:
            raise self.trouble["resolve"].pop(0)
        release = RELEASES[name.version]
        return Approved(name, release.swarm, len(release.encoded))

    async def _fetch(self, approved: Approved, destination: str) -> Artifact:
        if self.trouble["fetch"]:
            raise self.trouble["fetch"].pop(0)
        release = RELEASES[approved.release.version]
        await trio.sleep(1)
        artifact = self.store.add(release.encoded, destination)
        fill(self.store, artifact, release)
        self.store.finish(artifact)
        return artifact

    def goal(self, version: str, revision: int, *, rollback: bool = False) -> bool:
        return self.keeper.goal(Goal("web", "global", f"web@{version}", revision, rollback))

    def at_rest(self) -> bool:
        return self.keeper.lifecycle.state in ("VERIFIED", "FAILED") and not self.keeper.lifecycle.memory.waiting_aim

    def states(self) -> list[str]:
        return [status.state for status in self.reports]


async def run_host(host: Host, then: Callable[[], Awaitable[None]] | None = None) -> None:
    """Run it until it is at rest (or `then` returned)."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(host.keeper.run)
        if then is not None:
            await then()
        while not (host.at_rest() and host.reports and host.reports[-1].state == host.keeper.lifecycle.state):
            await trio.sleep(0.5)
        nursery.cancel_scope.cancel()


def directory_of(version: str) -> str:
    return f"releases/{version}-{RELEASES[version].swarm.hex()[:8]}"


def runs(disk: MemoryDisk) -> str | None:
    """The version that `current` points to, which must be complete; None for none."""
    link = disk.read_link(f"{DIRECTORY}/current")
    if link is None:
        return None
    version = next(version for version in RELEASES if directory_of(version) == link)
    assert is_exactly(disk, f"{DIRECTORY}/{link}", RELEASES[version])
    return version


async def deploy(disk: MemoryDisk, version: str, revision: int, **options: Any) -> Host:
    """One goal, one run of the process, killed at rest."""
    host = Host(disk, **options)
    host.goal(version, revision)
    await run_host(host)
    disk.kill()
    return host


async def test_a_goal_becomes_the_running_release(autojump_clock: trio.testing.MockClock) -> None:
    disk = MemoryDisk()
    host = await deploy(disk, "1", 1)
    assert runs(disk) == "1"
    assert host.states() == [
        "CHECKING", "DOWNLOADING", "DOWNLOADED", "INSTALLING", "INSTALLED", "VERIFIED",
    ]  # fmt: skip


async def test_restart_and_health_check_run_after_the_switch_in_the_release(
    autojump_clock: trio.testing.MockClock,
) -> None:
    host = await deploy(MemoryDisk(), "1", 1)
    place = f"{DIRECTORY}/{directory_of('1')}"
    assert [(ran.argv, ran.directory) for ran in host.processes.ran] == [
        (("restart", "web"), place),
        (("bin/check",), place),
    ]
    environment = host.processes.ran[1].environment
    assert (environment["P2P_RELEASE"], environment["P2P_SERVICE"]) == ("web@1", "web")
    assert "/usr/bin" in environment["PATH"]


async def test_a_sick_release_is_taken_back_and_the_service_restarted(autojump_clock: trio.testing.MockClock) -> None:
    disk = MemoryDisk()
    await deploy(disk, "1", 1)
    host = await deploy(disk, "2", 2, sick=("2",))
    assert runs(disk) == "1"
    assert [ran.argv[0] for ran in host.processes.ran] == ["restart", "bin/check", "bin/check", "bin/check", "restart"]
    assert host.processes.ran[-1].environment["P2P_RELEASE"] == "web@1"
    assert host.reports[-1].error == "health check of web@2: exit code 1\nsick"


async def test_one_good_attempt_is_enough(autojump_clock: trio.testing.MockClock) -> None:
    host = Host(MemoryDisk())
    ends = iter([Exit(0, ""), Exit(1, "not yet"), Exit(0, "")])
    host.processes.answer = lambda _: next(ends)
    host.goal("1", 1)
    await run_host(host)
    assert host.states()[-1] == "VERIFIED"


async def test_a_check_that_hangs_is_a_failed_one(autojump_clock: trio.testing.MockClock) -> None:
    host = Host(MemoryDisk(), restart_timeout_s=60.0)
    host.processes.seconds = 20.0
    host.goal("1", 1)
    await run_host(host)
    assert "took longer than 10 s" in host.reports[-1].error


async def test_a_failing_restart_takes_the_release_back(autojump_clock: trio.testing.MockClock) -> None:
    host = Host(MemoryDisk())
    host.processes.answer = lambda _: Exit(-9, "")
    host.goal("1", 1)
    await run_host(host)
    assert runs(host.disk) is None
    assert host.reports[-1].error == "health check of web@1: restart command ended by signal 9"


async def test_a_command_that_can_not_be_started_is_a_failed_check(autojump_clock: trio.testing.MockClock) -> None:
    def answer(ran: Ran) -> Exit:
        if ran.argv[0] == "restart":
            return Exit(0, "")
        raise FileNotFoundError(2, "No such file or directory")

    host = Host(MemoryDisk())
    host.processes.answer = answer
    host.goal("1", 1)
    await run_host(host)
    assert "could not be run: bin/check" in host.reports[-1].error


@pytest.mark.parametrize(
    ("step", "error", "state"),
    [
        ("resolve", UnreachableError("no shield"), "CHECKING"),
        ("resolve", UnknownReleaseError("not signed"), "REFUSED"),
        ("fetch", NoSpaceError("/srv", 5), "BLOCKED"),
        ("fetch", PermissionError(13, "denied"), "BLOCKED"),
        ("fetch", UnknownReleaseError("not a manifest"), "REFUSED"),
    ],
)
async def test_trouble_is_reported_and_outlived(
    autojump_clock: trio.testing.MockClock, step: str, error: Exception, state: str
) -> None:
    host = Host(MemoryDisk())
    host.trouble[step].append(error)
    host.goal("1", 1)
    await run_host(host)
    assert (state, str(error)) in [(status.state, status.waits_for) for status in host.reports]
    assert runs(host.disk) == "1"


async def test_a_newer_goal_cancels_a_download(autojump_clock: trio.testing.MockClock) -> None:
    host = Host(MemoryDisk())
    host.goal("1", 1)

    async def change_of_mind() -> None:
        await trio.sleep(0.5)
        assert host.keeper.lifecycle.state == "DOWNLOADING"
        host.goal("2", 2)

    await run_host(host, change_of_mind)
    assert runs(host.disk) == "2"
    assert list(host.store.artifacts) == [RELEASES["2"].swarm]


async def test_a_goal_for_what_runs_cancels_a_download(autojump_clock: trio.testing.MockClock) -> None:
    disk = MemoryDisk()
    await deploy(disk, "1", 1)
    host = Host(disk)
    host.goal("2", 2)

    async def change_of_mind() -> None:
        await trio.sleep(0.5)
        host.goal("1", 3)
        await trio.sleep(5)

    await run_host(host, change_of_mind)
    assert runs(disk) == "1"
    assert list(host.store.artifacts) == [RELEASES["1"].swarm]


async def test_a_full_state_disk_delays_and_does_not_kill(autojump_clock: trio.testing.MockClock) -> None:
    host = Host(MemoryDisk())
    host.disk.capacity_bytes = 0
    host.goal("1", 1)

    async def make_room() -> None:
        await trio.sleep(60)
        assert host.states() == []
        host.disk.capacity_bytes = None

    await run_host(host, make_room)
    assert runs(host.disk) == "1"


async def life(disk: MemoryDisk) -> None:
    """1 comes, 2 comes, 3 is sick, 1 is ordered back; each in a process of its own."""
    for version, revision, rollback in (("1", 1, False), ("2", 2, False), ("3", 3, False), ("1", 4, True)):
        host = Host(disk, sick=("3",))
        host.goal(version, revision, rollback=rollback)
        await run_host(host)
        disk.kill()


async def steps_of_a_life() -> int:
    disk = MemoryDisk()
    await life(disk)
    return disk.steps


STEPS = trio.run(steps_of_a_life, clock=trio.testing.MockClock(autojump_threshold=0))


async def interrupted(disk: MemoryDisk, steps: int) -> None:
    disk.power_cut_after(steps)
    try:
        await life(disk)
    except* PowerCut:
        pass
    assert disk.steps == steps


@pytest.mark.parametrize("how", ["power cut", "kill"])
@pytest.mark.parametrize("part", range(16))
async def test_an_interruption_at_any_step_leaves_a_complete_release_and_the_way_on(
    autojump_clock: trio.testing.MockClock, how: str, part: int
) -> None:
    for steps in range(part, STEPS, 16):
        disk = MemoryDisk()
        await interrupted(disk, steps)
        if how == "kill":
            disk.restore_power()
            disk.kill()
        else:
            disk.crash()
        runs(disk)
        host = Host(disk, sick=("3",))
        if host.keeper.lifecycle.memory.aim is not None:
            await run_host(host)
            assert runs(disk) in ("1", "2")
        host.goal("2", 10, rollback=True)
        await run_host(host)
        assert runs(disk) == "2"
