"""One simulated link: whose turn it is."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from sim.clock import SimClock
from sim.net.link import QUEUE_S, Link, Quantum, Sender

SECOND_BYTES = 100.0


class Talker(Sender):
    """Sends quanta of a second each through one link, and notes when they have passed."""

    def __init__(self, name: str, link: Link, passed: list[str]) -> None:
        super().__init__(1)
        self.name, self._link, self._passed = name, link, passed

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self._link.carry(Quantum(self, f"{self.name}{number}".encode(), SECOND_BYTES))

    def passed(self, quantum: Quantum) -> None:
        self._link.release(quantum)
        assert quantum.data is not None
        self._passed.append(quantum.data.decode())


class Scene:
    """Three talkers at one link."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.link = Link(self.clock, SECOND_BYTES)
        self.passed: list[str] = []
        self.a, self.b, self.c = (Talker(name, self.link, self.passed) for name in "abc")

    def run(self, main: Callable[[], Awaitable[None]]) -> list[str]:
        """What has passed, in its order."""
        self.clock.run(main, rng_seed=1)
        return self.passed


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_flows_take_turns_a_quantum_each_in_the_order_in_which_they_came(scene: Scene) -> None:
    async def main() -> None:
        scene.a.send(1, 2, 3)
        scene.b.send(1, 2)
        scene.c.send(1)
        await trio.sleep(6.5)

    assert scene.run(main) == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_who_comes_again_lines_up_behind_those_who_wait(scene: Scene) -> None:
    async def main() -> None:
        scene.a.send(1, 2)
        scene.b.send(1)
        await trio.sleep(2.5)  # a2 has passed, b1 is on its way
        scene.c.send(1)
        scene.a.send(3)
        scene.b.send(2)
        await trio.sleep(4)

    assert scene.run(main) == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_a_link_that_had_nothing_left_to_carry_starts_anew(scene: Scene) -> None:
    async def main() -> None:
        scene.a.send(1, 2)
        scene.b.send(1)
        await trio.sleep(5)
        scene.b.send(2, 3)
        scene.a.send(3)
        await trio.sleep(3.5)

    assert scene.run(main) == ["a1", "a2", "b1", "b2", "b3", "a3"]
    assert scene.link.carried_bytes == 6 * SECOND_BYTES


def test_a_queue_is_full_when_its_turns_would_take_longer_than_a_router_holds(scene: Scene) -> None:
    [queue] = scene.a.queues
    seen: list[bool] = []

    async def main() -> None:
        for number in (1, 2):
            scene.a.send(number)
            seen.append(scene.link.is_full(queue))
        await trio.sleep(1.5)
        seen.append(scene.link.is_full(queue))

    scene.run(main)
    assert QUEUE_S < 1
    assert seen == [False, True, False]
