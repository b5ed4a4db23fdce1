"""What can go wrong with a fleet, done and undone."""

from collections.abc import Callable, Mapping
from random import Random

import trio

from manifests.blobs import CHUNKS
from sim.fleet.fleet import DATA, Fleet
from sim.fleet.member import Member

from .story import Fault, Story


class Faults:
    """Carries out a story's faults on a fleet. `rotten`: (host, path) of files whose bytes were changed on disk."""

    def __init__(self, fleet: Fleet, story: Story, liars: Mapping[str, Callable[[bool], None]]) -> None:
        self._fleet, self._story = fleet, story
        self._rng = Random(f"faults/{story.rng_seed}")
        self._liars = liars
        """What turns a tracker into a liar (True) and back (False), by its name."""
        self.rotten: set[tuple[str, str]] = set()
        self.skewed: set[str] = set()

    async def run(self) -> None:
        """From the first fault to the healing of all; returns then."""
        with trio.move_on_at(self._story.heal_s):
            async with trio.open_nursery() as nursery:
                for fault in self._story.faults:
                    nursery.start_soon(self._happen, fault)
                await trio.sleep_forever()
        self._heal_all()

    async def _happen(self, fault: Fault) -> None:
        await trio.sleep_until(fault.at_s)
        self._fleet.trace.tell(f"fault {fault}")
        self._begin(fault)
        await trio.sleep_until(fault.until_s)
        self._end(fault)

    def _begin(self, fault: Fault) -> None:
        network, blobs = self._fleet.network, self._fleet.blobs
        match fault.kind:
            case "partition":
                network.partition(fault.targets)
            case "clog":
                network.clog(fault.targets)
            case "no-store":
                blobs.away = True
            case "bad-store":
                self._damage_store(int(fault.amount))
            case "lying-tracker":
                for name in fault.targets:
                    self._liars[name](True)
            case _:
                for name in fault.targets:
                    self._begin_at(self._fleet.members[name], fault)

    def _begin_at(self, member: Member[object], fault: Fault) -> None:
        disk, network = member.host.disk, self._fleet.network
        down_s = fault.until_s - fault.at_s
        match fault.kind:
            case "kill" | "no-seeder" | "no-tracker" | "no-global-tracker":
                member.crash(power=False, down_s=down_s)
            case "power":
                member.crash(power=True, down_s=down_s)
            case "power-within":
                member.crash_within(int(fault.amount), down_s)
            case "reset":
                network.reset(member.name)
            case "flip":
                network.flip(member.name, fault.amount)
            case "slow-disk":
                disk.slowness = fault.amount
            case "sick-disk":
                disk.sick = int(fault.amount)
            case "full-disk":
                disk.capacity_bytes = disk.used_bytes + int(fault.amount * self._fleet.plan.size_bytes)
            case "skew":
                member.host.clock_off_s = fault.amount
                self.skewed.add(member.name)
            case "rot":
                self._rot(member)

    def _end(self, fault: Fault) -> None:
        network = self._fleet.network
        match fault.kind:
            case "partition":
                network.partition(())
            case "clog":
                network.clog(())
            case "no-store":
                self._fleet.blobs.away = False
            case "bad-store":
                self._mend_store()
            case "lying-tracker":
                for name in fault.targets:
                    self._liars[name](False)
            case "flip":
                for name in fault.targets:
                    network.flip(name, 0.0)
            case _:
                for name in fault.targets:
                    _cure(self._fleet.members[name])

    def _heal_all(self) -> None:
        self._fleet.trace.tell("all faults end")
        self._fleet.network.heal()
        self._fleet.blobs.away = False
        self._fleet.blobs.objects.update(self._fleet.published.renewed)
        self._mend_store()
        for turn in self._liars.values():
            turn(False)
        for member in self._fleet.members.values():
            _cure(member)
            member.recover()

    def _damage_store(self, count: int) -> None:
        objects = self._fleet.blobs.objects
        chunks = sorted(path for path in objects if path.startswith(CHUNKS))
        for path in self._rng.sample(chunks, min(count, len(chunks))):
            objects[path] = objects[path][:-1] + bytes((objects[path][-1] ^ 1,))

    def _mend_store(self) -> None:
        for path, data in self._fleet.published.blobs.items():
            if path.startswith(CHUNKS):
                self._fleet.blobs.objects[path] = data

    def _rot(self, member: Member[object]) -> None:
        """One byte of one visible release changes on disk."""
        disk = member.host.disk
        if disk.off:
            return
        folder = f"{DATA}/web/releases"
        releases = [name for name in disk.list_directory(folder) if not name.startswith(".")]
        if releases:
            path = f"{folder}/{self._rng.choice(releases)}/bin/part{self._rng.randrange(4)}"
            found = disk.stat(path)
            if found is not None and found.size:
                disk.corrupt(path, self._rng.randrange(found.size))
                self.rotten.add((member.name, path))


def _cure(member: Member[object]) -> None:
    disk = member.host.disk
    disk.slowness, disk.sick, disk.capacity_bytes = 1.0, 0, None
    member.host.clock_off_s = 0.0
