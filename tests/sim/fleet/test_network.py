"""The simulated network: what passes, how fast, and what stands in its way."""

from collections.abc import Awaitable, Callable
from random import Random

import pytest
import trio

from p2pd.world.network import Stream
from sim.clock import SimClock
from sim.net import Place, Port, SimNetwork
from sim.net.fairness import max_min_rates

WORLD = Place("world")


class Net:
    """A network, its clock, and hosts of a given access in one region."""

    def __init__(self, quantum_bytes: int = 1024) -> None:
        self.clock = SimClock()
        self.heard: list[tuple[str, str, int]] = []
        self.network = SimNetwork(
            self.clock,
            Random(1),
            lambda source, destination, data: self.heard.append((source, destination, len(data))),
            quantum_bytes,
        )

    def host(self, name: str, up: float = 1e9, down: float = 1e9, inside: Place = WORLD, nat: bool = False) -> Port:
        return self.network.port(name, Place(name, inside, up, down, 0.01, nat))

    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        self.clock.run(main, rng_seed=1)


async def joined(one: Port, other: Port, number: int = 1) -> tuple[Stream, Stream]:
    """Both ends of a new connection."""
    listener = await other.listen(f"{other.name}:{number}")
    async with trio.open_nursery() as nursery:
        ends: list[Stream] = []

        async def accept() -> None:
            ends.append(await listener.accept())

        nursery.start_soon(accept)
        dialled = await one.dial(f"{other.name}:{number}")
    return dialled, ends[0]


async def receive(stream: Stream, count: int) -> bytes:
    """Exactly so many bytes."""
    data = bytearray()
    while len(data) < count:
        part = await stream.receive_some()
        assert part, "ended early"
        data += part
    return bytes(data)


def test_bytes_arrive_in_order_after_the_latency_and_the_time_that_the_slowest_link_takes() -> None:
    net = Net()
    a, b = net.host("a", up=10_000), net.host("b", down=20_000)
    sent = Random(1).randbytes(10_000)

    async def main() -> None:
        here, there = await joined(a, b)
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, sent)
            assert await receive(there, len(sent)) == sent
        assert trio.current_time() - began == pytest.approx(1.0 + 0.02 + 1024 / 20_000, abs=0.06)

    net.run(main)


def test_a_small_message_pays_latency_only() -> None:
    net = Net()
    a, b = net.host("a", up=10), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        began = trio.current_time()
        await here.send_all(b"hello")
        assert await there.receive_some() == b"hello"
        assert trio.current_time() - began == pytest.approx(0.02)

    net.run(main)


def test_a_small_message_does_not_overtake_bulk_of_its_own_connection() -> None:
    net = Net()
    a, b = net.host("a", up=10_000), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        await here.send_all(bytes(5000))
        await here.send_all(b"end")
        assert (await receive(there, 5003))[-3:] == b"end"

    net.run(main)


def test_a_small_message_does_not_overtake_bulk_even_if_both_are_due_at_the_same_moment() -> None:
    net = Net()
    a, b, c = (net.network.port(name, Place(name, WORLD, 1024, 1024, 1.0)) for name in "abc")

    async def main() -> None:
        here, there = await joined(a, b, 1)
        other, _ = await joined(c, b, 2)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, bytes(2048))  # through b's downlink from 4 s to 5 s, behind c's
            nursery.start_soon(other.send_all, bytes(1024))
            await trio.sleep(3)
            await here.send_all(b"end")  # there at 5 s
            assert (await receive(there, 2051))[-3:] == b"end"

    net.run(main)


FLOWS = [("a", "x"), ("a", "y"), ("b", "y"), ("c", "y"), ("c", "z"), ("c", "x")]
UP = {"a": 60_000.0, "b": 50_000.0, "c": 90_000.0}
DOWN = {"x": 40_000.0, "y": 70_000.0, "z": 100_000.0}


def test_long_flows_share_links_max_min_fairly() -> None:
    net, seconds = Net(quantum_bytes=1000), 60.0
    ports = {name: net.host(name, up=rate) for name, rate in UP.items()}
    ports |= {name: net.host(name, down=rate) for name, rate in DOWN.items()}
    taken = [0] * len(FLOWS)

    async def send(stream: Stream) -> None:
        while True:
            await stream.send_all(bytes(10_000))

    async def take(stream: Stream, flow: int) -> None:
        while True:
            taken[flow] += len(await stream.receive_some())

    async def main() -> None:
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for flow, (source, destination) in enumerate(FLOWS):
                    here, there = await joined(ports[source], ports[destination], flow + 1)
                    nursery.start_soon(send, here)
                    nursery.start_soon(take, there, flow)

    net.run(main)
    capacity = {f"up {name}": rate for name, rate in UP.items()} | {f"down {name}": rate for name, rate in DOWN.items()}
    right = max_min_rates([(f"up {source}", f"down {there}") for source, there in FLOWS], capacity)
    assert [count / seconds for count in taken] == pytest.approx(right, rel=0.05)


def test_where_many_share_a_link_a_sender_has_to_wait_with_all_but_what_is_there_soon() -> None:
    """Or what was sent would come a minute after it was given up, and asked for again."""
    net = Net(quantum_bytes=1024)
    hub = net.host("hub", up=10 * 1024)
    lags: list[float] = []

    async def send(number: int) -> None:
        here, there = await joined(hub, net.host(f"host-{number}"), number)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, there, 16 * 1024)
            await here.send_all(bytes(16 * 1024))
            sent_at = trio.current_time()
        lags.append(trio.current_time() - sent_at)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(1, 21):
                nursery.start_soon(send, number)

    net.run(main)
    a_round_s = 20 * 1024 / (10 * 1024)
    assert max(lags) < 2 * a_round_s  # of 32 s that all of it takes


def test_the_exact_solver_fills_the_tightest_link_first() -> None:
    rates = max_min_rates([("up",), ("up", "down"), ("down",), ()], {"up": 10.0, "down": 4.0})
    assert rates == [8.0, 2.0, 2.0, float("inf")]


def test_all_that_leaves_a_region_shares_its_backbone() -> None:
    net = Net()
    region = Place("north", WORLD, up_bytes_per_s=10_000)
    ports = [net.host(name, inside=region) for name in "ab"]
    far = net.host("far")

    async def main() -> None:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number, port in enumerate(ports):
                here, there = await joined(port, far, number + 1)
                nursery.start_soon(here.send_all, bytes(10_000))
                nursery.start_soon(receive, there, 10_000)
        assert trio.current_time() - began == pytest.approx(2.0, rel=0.1)

    net.run(main)


def test_what_stays_within_a_region_does_not_use_its_backbone() -> None:
    net = Net()
    region = Place("north", WORLD, up_bytes_per_s=1, down_bytes_per_s=1)
    a, b = net.host("a", inside=region), net.host("b", inside=region)

    async def main() -> None:
        here, there = await joined(a, b)
        await here.send_all(bytes(10_000))
        await receive(there, 10_000)
        assert trio.current_time() < 1

    net.run(main)


def test_a_partition_holds_bytes_up_and_its_end_lets_them_through() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        net.network.partition(["a"])
        net.clock.at(5.0, net.network.heal)
        await here.send_all(b"late")
        assert (await there.receive_some(), trio.current_time()) == (b"late", 5.0)

    net.run(main)


def test_a_dial_across_a_partition_times_out() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        await b.listen("b:1")
        net.network.partition(["b"])
        with pytest.raises(TimeoutError):
            await a.dial("b:1")
        assert trio.current_time() == 5.0

    net.run(main)


def test_a_clogged_host_reaches_not_even_those_on_its_side() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        net.network.clog(["a"])
        await here.send_all(b"stuck")
        with trio.move_on_after(10) as scope:
            await there.receive_some()
        assert scope.cancelled_caught

    net.run(main)


def test_nobody_dials_a_host_behind_a_nat_but_it_dials_out() -> None:
    net = Net()
    inside, outside = net.host("inside", nat=True), net.host("outside")

    async def main() -> None:
        await joined(inside, outside)
        await inside.listen("inside:1")
        with pytest.raises(TimeoutError):
            await outside.dial("inside:1")

    net.run(main)


def test_the_peers_of_a_killed_process_are_told_at_once() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        _, there = await joined(a, b)
        net.network.kill("a", power=False)
        with pytest.raises(trio.BrokenResourceError):
            await there.receive_some()
        assert trio.current_time() < 1

    net.run(main)


def test_a_machine_without_power_says_nothing_until_it_is_on_again_and_then_resets() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        _, there = await joined(a, b)
        net.network.kill("a", power=True)
        net.clock.at(30.0, net.network.boot, "a")
        await there.send_all(b"still there?")
        with pytest.raises(trio.BrokenResourceError):
            await there.receive_some()
        assert trio.current_time() == 30.0

    net.run(main)


def test_what_had_arrived_before_a_reset_can_still_be_read() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        await here.send_all(b"last words")
        await trio.sleep(1)
        net.network.reset("a")
        assert await there.receive_some() == b"last words"
        with pytest.raises(trio.BrokenResourceError):
            await there.receive_some()

    net.run(main)


def test_a_sender_whose_reader_sleeps_is_made_to_wait() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, _ = await joined(a, b)
        with trio.move_on_after(10) as scope:
            await here.send_all(bytes(10_000_000))
        assert scope.cancelled_caught

    net.run(main)


def test_a_reader_that_needs_more_is_not_woken_for_every_part_of_it() -> None:
    net = Net(quantum_bytes=1000)
    a, b = net.host("a", up=1_000), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, bytes(4000))
            assert await there.receive_into(bytearray(9000), 3000) == 3000

    net.run(main)


def test_a_reader_that_needs_more_than_a_window_holds_does_not_stop_its_sender() -> None:
    net = Net(quantum_bytes=1000)
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send_all, bytes(100_000))
            left = 100_000
            while left:
                left -= await there.receive_into(bytearray(left), left)

    net.run(main)


def test_a_reader_that_needs_more_is_told_of_the_end() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")

    async def main() -> None:
        here, there = await joined(a, b)
        await here.send_all(b"no more than this")
        await here.aclose()
        assert await there.receive_into(bytearray(100), 100) == 17
        assert await there.receive_into(bytearray(100), 100) == 0

    net.run(main)


def test_the_other_end_of_a_connection_is_known_for_certain() -> None:
    net = Net()
    a = net.network.port("a", Place("a", WORLD), region="north", role="daemon")
    b = net.host("b")

    async def main() -> None:
        _, there = await joined(a, b)
        assert (there.identity.node, there.identity.region, there.identity.proven) == ("a", "north", True)

    net.run(main)
