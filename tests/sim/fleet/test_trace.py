"""What a run's digest is made of."""

import hashlib

from sim.clock import SimClock
from sim.trace import BATCH_LINES, Trace

LINES = [
    "0.0 a boots\n",
    "0.0 a > b 5 3610a686\n",
    "0.1 b > a 1 d3d99e8b\n",
    "0.1 b ends\n",
    "0.1 a > b 5 3610a686\n",
]


def told(trace: Trace, clock: SimClock) -> Trace:
    """LINES, as they happen."""
    trace.tell("a boots")
    trace.heard("a", "b", b"hello")
    clock.now = 0.1
    trace.heard("b", "a", b"A")
    trace.tell("b ends")
    trace.heard("a", "b", b"hello")
    return trace


def test_the_digest_is_of_all_lines_in_their_order() -> None:
    clock = SimClock()
    trace = told(Trace(clock), clock)
    assert (trace.digest(), trace.lines) == (hashlib.sha256("".join(LINES).encode()).hexdigest(), 5)


def test_who_keeps_the_lines_is_told_of_each_at_once() -> None:
    clock, kept = SimClock(), list[str]()
    told(Trace(clock, keep=kept.append), clock)
    assert kept == LINES


def test_looking_at_the_digest_on_the_way_changes_nothing() -> None:
    clock = SimClock()
    looked, whole = Trace(clock), Trace(clock)
    for number in range(2 * BATCH_LINES):
        looked.heard("a", "b", bytes(number % 7))
        whole.heard("a", "b", bytes(number % 7))
        if number % 100 == 0:
            looked.digest()
    assert looked.digest() == whole.digest()


def test_what_differs_between_processes_leaves_no_trace() -> None:
    traces = [Trace(SimClock(), private) for private in ("folder-one", "another-folder")]
    traces[0].heard("a", "b", b"in folder-one it is")
    traces[1].heard("a", "b", b"in another-folder it is")
    assert traces[0].digest() == traces[1].digest()
