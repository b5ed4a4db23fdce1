"""One host and the process on it, started again whenever it ends, as the machine's service manager would."""

import errno
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Any, Final, Generic, Protocol, TypeVar

import trio

from p2pd.world import World
from sim.net import SimNetwork
from sim.trace import Trace
from sim.world import SimHost

RESTART_S: Final = 5.0
"""After a process ended by itself."""
TOLERATED: Final = (errno.ENOSPC, errno.EIO)
"""With such an error of its disk a process may end; the simulator alone makes them."""

Running_co = TypeVar("Running_co", covariant=True)


class Body(Protocol[Running_co]):
    """A service: runs until cancelled, and says what it is when it has started."""

    def __call__(self, world: World, *, task_status: trio.TaskStatus[Any]) -> Awaitable[None]:
        """Run."""
        ...


class Member(Generic[Running_co]):
    """`running` is what the service said when it started; None while it does not run."""

    def __init__(self, host: SimHost, network: SimNetwork, trace: Trace, rng: Random, body: Body[Running_co]) -> None:
        self.host = host
        self.running: Running_co | None = None
        self.crashes = 0
        self.exits = 0
        self.after_death: Callable[[], None] = lambda: None
        """What the machine's kernel does with what the process left (a database's lock)."""
        self.on_boot: Callable[[bool], None] = lambda power_lost: None
        """After the disk came back and before the process is started; told whether the power had been cut."""
        self._network, self._trace, self._rng, self._body = network, trace, rng, body
        self._impostor: Body[Any] | None = None
        self._scope: trio.CancelScope | None = None
        self._power = False
        self._back_at = 0.0
        host.disk.on_cut = self._on_cut

    def __repr__(self) -> str:
        return f"<Member {self.host.name} {'up' if self.running is not None else 'down'}>"

    @property
    def name(self) -> str:
        """The host's."""
        return self.host.name

    @property
    def crashed(self) -> bool:
        """It is off, and will be until `recover` or its time has come."""
        return self.host.disk.off

    def crash(self, *, power: bool, down_s: float = inf) -> None:
        """The process dies (kill -9), or the machine's power is cut; it comes back after `down_s`."""
        if not self.crashed:
            self.host.disk.halt()
            self._went_off(power)
        self._back_at = trio.current_time() + down_s

    def crash_within(self, steps: int, down_s: float) -> None:
        """The power goes in the midst of what the disk does next: after so many more steps that change something."""
        self._back_at = trio.current_time() + down_s
        self.host.disk.power_cut_after(steps)

    def recover(self) -> None:
        """Back now, and no power cut is due any more."""
        self._back_at = trio.current_time()
        self.host.disk.restore_power()

    def replace_body(self, impostor: Body[Any] | None) -> bool:
        """The next process is another one (None: the right one again); False when that is so already."""
        changed = impostor is not self._impostor
        self._impostor = impostor
        return changed

    async def live(self) -> None:
        """Until cancelled."""
        while True:
            await self._boot()
            self._scope = trio.CancelScope()
            try:
                with self._scope:
                    async with trio.open_nursery() as nursery:
                        self.running = await nursery.start(self._run_body)
            except* Exception as errors:
                if not self.crashed and not _all_tolerated(errors):
                    raise
                self._ended()
            finally:
                self.running = None
                self.after_death()
            if not self.crashed:
                self.host.disk.kill()
                await trio.sleep(RESTART_S)

    async def _run_body(self, *, task_status: trio.TaskStatus[Any]) -> None:
        body = self._impostor or self._body
        await body(self.host.world(), task_status=task_status)

    async def _boot(self) -> None:
        while self.crashed:
            wait_until = self._back_at
            if wait_until > trio.current_time():
                await trio.sleep(min(0.5, wait_until - trio.current_time()))
                continue
            self.host.disk.start(power_lost=self._power, rng=Random(self._rng.random()))
            self._network.boot(self.name)
            self.on_boot(self._power)
            self._trace.tell(f"{self.name} boots")

    def _ended(self) -> None:
        if not self.crashed:
            self.exits += 1
            self._trace.tell(f"{self.name} ended by itself")

    def _on_cut(self) -> None:
        self._went_off(power=True)
        self._back_at = max(self._back_at, trio.current_time())

    def _went_off(self, power: bool) -> None:
        self.crashes += 1
        self._power = power
        self._trace.tell(f"{self.name} {'loses power' if power else 'is killed'}")
        self._network.kill(self.name, power=power)
        if self._scope is not None:
            self._scope.cancel()


def _all_tolerated(errors: BaseExceptionGroup[BaseException]) -> bool:
    _, others = errors.split(lambda error: isinstance(error, OSError) and error.errno in TOLERATED)
    return others is None
