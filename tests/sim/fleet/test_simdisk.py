"""The simulated disk and the world around it: what work costs, and what a crash leaves."""

import errno
from random import Random

import pytest
import trio

from sim.clock import SimClock
from sim.disk import DiskSpeed, PowerCut, SimDisk
from sim.world import Jobs

SPEED = DiskSpeed(bytes_per_s=1000, call_s=0.0, fsync_s=0.5)


def test_a_job_costs_what_it_moves_and_syncs() -> None:
    disk, clock = SimDisk(SPEED), SimClock()
    disk.create("/file", 0)

    def job() -> None:
        disk.write("/file", 0, bytes(2000))
        disk.sync("/file")

    async def main() -> float:
        await Jobs(disk, clock)(job)
        return trio.current_time()

    assert clock.run(main, rng_seed=1) == pytest.approx(2.5)


def test_more_jobs_than_threads_wait_for_each_other() -> None:
    disk, clock = SimDisk(SPEED), SimClock()
    disk.create("/file", 0)

    async def main() -> float:
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(jobs, disk.write, "/file", 0, bytes(1000))
        return trio.current_time()

    jobs = Jobs(disk, clock)
    assert clock.run(main, rng_seed=1) == pytest.approx(2.0)


def test_a_slow_disk_takes_longer() -> None:
    disk, clock = SimDisk(SPEED), SimClock()
    disk.create("/file", 0)
    disk.slowness = 10

    async def main() -> float:
        await Jobs(disk, clock)(disk.write, "/file", 0, bytes(1000))
        return trio.current_time()

    assert clock.run(main, rng_seed=1) == pytest.approx(10.0)


def test_a_job_on_a_machine_that_is_off_never_begins() -> None:
    disk, clock = SimDisk(SPEED), SimClock()
    disk.halt()

    async def main() -> None:
        with pytest.raises(PowerCut):
            await Jobs(disk, clock)(lambda: pytest.fail("it began"))

    clock.run(main, rng_seed=1)


def test_an_ill_disk_fails_so_many_writes_and_is_well_again() -> None:
    disk = SimDisk(SPEED)
    disk.create("/file", 0)
    disk.sick = 1
    with pytest.raises(OSError) as raised:
        disk.write("/file", 0, b"lost")
    disk.write("/file", 0, b"kept")
    assert (raised.value.errno, disk.peek("/file")) == (errno.EIO, b"kept")


def test_a_killed_process_loses_nothing_that_it_wrote() -> None:
    disk = SimDisk(SPEED)
    disk.create("/file", 0)
    disk.write("/file", 0, b"written")
    disk.halt()
    disk.start(power_lost=False, rng=Random(1))
    assert disk.peek("/file") == b"written"


def test_a_power_cut_may_take_what_was_not_synced() -> None:
    def survivors(rng_seed: int) -> bytes | None:
        disk = SimDisk(SPEED)
        disk.create("/file", 8)
        disk.sync("/file")
        disk.sync("/")
        disk.write("/file", 0, b"unsynced")
        disk.halt()
        disk.start(power_lost=True, rng=Random(rng_seed))
        return disk.peek("/file")

    assert {survivors(rng_seed) for rng_seed in range(8)} == {b"unsynced", bytes(8)}


def test_a_power_cut_can_come_in_the_midst_of_a_job() -> None:
    disk, cuts = SimDisk(SPEED), list[str]()
    disk.create("/file", 0)
    disk.on_cut = lambda: cuts.append("cut")
    disk.power_cut_after(1)
    disk.write("/file", 0, b"one")
    with pytest.raises(PowerCut):
        disk.write("/file", 3, b"two")
    with pytest.raises(PowerCut):
        disk.read("/file", 0, 3)
    assert cuts == ["cut"]
