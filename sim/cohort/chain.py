"""Small LANs exactly: a Markov chain over what each member of a LAN is doing.

A member has a stage (0 not offered, 1 waits for its next check-in, 2.. downloading in B equal parts, B + 2 has it all)
and is on or off. A LAN of s members is the multiset of its members' states. Within a LAN whoever is behind the best
member that is on is fed by the LAN; the front is fed from outside, once for all. Coming and going is stepped
explicitly; everything else only moves forward, so that one sweep in order of stages solves the implicit step exactly:
it is stable at any step, and no byte is lost. Columns (time zone x line) are independent but for the CDN they share.
"""

from collections import Counter
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.scale.compiled import compiled, inlined

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]

COME, GO, OFFER, CHECK_IN, FROM_LAN, FROM_WAN = range(6)
PARTS: Final = {1: 96, 2: 40, 3: 12, 4: 7}
"""Parts of a download by LAN size. A state space of 8,855 at size 4."""
LAN_SIZE_MAX: Final = max(PARTS)


class Chain(NamedTuple):
    """Transitions in rows by their first state; states in order of stage sums."""

    first: I32
    """[states + 1] where each state's transitions begin"""
    target: I32
    kind: I32
    times: F64
    """how many members may make the transition"""


class Counted(NamedTuple):
    """What a state contributes, per LAN: [states] each."""

    waiting: F64
    active: F64
    done: F64
    done_on: F64
    asks: F64
    """1 if the LAN asks the outside for bytes"""


def _moves(members: tuple[int, ...], last: int) -> list[tuple[tuple[int, ...], int, float]]:
    """What can happen next to a LAN: (its members then, the kind, how many could do it)."""
    on = [m >> 1 for m in members if m & 1]
    front = max(on, default=0)
    moves = []
    for member, times in Counter(members).items():
        stage, awake = member >> 1, member & 1
        rest = list(members)
        rest.remove(member)

        def after(new: int, rest: list[int] = rest) -> tuple[int, ...]:
            return tuple(sorted([*rest, new]))

        moves.append((after(member ^ 1), GO if awake else COME, float(times)))
        if stage == 0:
            moves.append((after(member + 2), OFFER, float(times)))
        elif stage == 1 and awake:
            moves.append((after(member + 2), CHECK_IN, float(times)))
        elif 2 <= stage < last and awake:
            behind = stage < front
            moves.append((after(member + 2), FROM_LAN if behind else FROM_WAN, float(times) if behind else 1.0))
    return moves


def build(size: int, parts: int) -> tuple[list[tuple[int, ...]], Chain, Counted]:
    """All states of a LAN of this size, their transitions, and what each counts for."""
    last = parts + 2
    states = sorted(
        combinations_with_replacement(range(2 * (last + 1)), size), key=lambda members: sum(m >> 1 for m in members)
    )
    number = {members: i for i, members in enumerate(states)}
    first, target, kind, times = [0], [], [], []
    counted = np.zeros((5, len(states)))
    for i, members in enumerate(states):
        for to, what, count in _moves(members, last):
            target.append(number[to])
            kind.append(what)
            times.append(count)
        first.append(len(target))
        stages = [m >> 1 for m in members]
        front = max((m >> 1 for m in members if m & 1), default=0)
        counted[:, i] = (
            stages.count(1),
            sum(2 <= m >> 1 < last and bool(m & 1) for m in members),
            stages.count(last),
            members.count(2 * last + 1),
            2 <= front < last,
        )
    chain = Chain(
        np.array(first, dtype=np.int32), np.array(target, dtype=np.int32), np.array(kind, dtype=np.int32),
        np.array(times),
    )  # fmt: skip
    return states, chain, Counted(*counted)


@compiled
def come_and_go(chain: Chain, now: F64, after: F64, chance: F64) -> None:
    """[states, columns] `now` -> `after`: members wake and fall asleep, with `chance` [2, columns] by kind."""
    states, columns = now.shape
    for i in range(states):
        for c in range(columns):
            after[i, c] = now[i, c]
    for i in range(states):
        for e in range(chain.first[i], chain.first[i + 1]):
            kind, times, j = chain.kind[e], chain.times[e], chain.target[e]
            if kind <= GO:
                for c in range(columns):
                    flow = now[i, c] * times * chance[kind, c]
                    after[i, c] -= flow
                    after[j, c] += flow


@inlined
def _shrink(chain: Chain, mass: F64, i: int, pace: F64, leaving: F64) -> None:
    """What stays in state i at the end of the step, of what was there or came in."""
    columns = mass.shape[1]
    for c in range(columns):
        leaving[c] = 1.0
    for e in range(chain.first[i], chain.first[i + 1]):
        kind, times = chain.kind[e], chain.times[e]
        if kind > GO:
            for c in range(columns):
                leaving[c] += times * pace[kind, c]
    for c in range(columns):
        mass[i, c] /= leaving[c]


@compiled
def forward(chain: Chain, mass: F64, pace: F64, wan: F64, leaving: F64) -> None:
    """One implicit step, in place. `pace` [6, columns]: rate x step by kind; `wan` [columns] gains the parts fetched.

    `leaving` [columns] is room to work in.
    """
    states, columns = mass.shape
    for i in range(states):
        _shrink(chain, mass, i, pace, leaving)
        for e in range(chain.first[i], chain.first[i + 1]):
            kind, times, j = chain.kind[e], chain.times[e], chain.target[e]
            if kind > GO:
                for c in range(columns):
                    mass[j, c] += mass[i, c] * times * pace[kind, c]
            if kind == FROM_WAN:
                for c in range(columns):
                    wan[c] += mass[i, c] * times * pace[kind, c]
