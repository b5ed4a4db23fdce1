"""Who is here: joining, dying, and the tracker's handouts."""

import numpy as np

from .compiled import inlined, inner
from .deliver import leave
from .dice import chance, roll
from .state import ACTIVE, ACTIVE_COUNT, AWAY, CAPACITY, COMPLETE, GONE, NEXT_EVENT, Rules, Swarm

BURST = np.float32(0.999)
"""Of a link's unused share of a step, what may be made up for later: less than one chunk."""


@inlined
def _tracker_is_up(rules: Rules, now: int) -> bool:
    return not (rules.outage_start <= now < rules.outage_end)


@inlined
def _gone(swarm: Swarm, peer: int) -> bool:
    return peer < 0 or swarm.state[peer] == GONE or swarm.state[peer] == AWAY


@inlined
def _knows(swarm: Swarm, host: int, other: int) -> bool:
    known = False
    for column in range(swarm.peers.shape[1]):
        known = known or swarm.peers[host, column] == other
    return known


@inlined
def _accept(swarm: Swarm, rules: Rules, host: int, dialler: int) -> None:
    """The one who is dialled takes the dialler as a neighbour too; when it has no room, in place of another dialler."""
    if _knows(swarm, host, dialler):
        return
    width = swarm.peers.shape[1]
    for column in range(rules.rack_degree, width):
        if _gone(swarm, swarm.peers[host, column]):
            swarm.peers[host, column] = dialler
            return
    swarm.peers[host, rules.dial + roll(swarm.dice, width - rules.dial)] = dialler


@inner
def handout(swarm: Swarm, rules: Rules, host: int) -> None:
    """Replace neighbours who are gone by hosts who are here, drawn at random."""
    region = swarm.region[host]
    here = swarm.present_count[region]
    for column in range(rules.rack_degree, rules.dial):
        if here < 2 or not _gone(swarm, swarm.peers[host, column]):
            continue
        other = swarm.present[region, roll(swarm.dice, here)]
        if other == host or swarm.state[other] == GONE or _knows(swarm, host, other):
            continue
        swarm.peers[host, column] = other
        if swarm.peers.shape[1] > rules.dial:
            _accept(swarm, rules, other, host)


@inner
def _join(swarm: Swarm, rules: Rules, host: int, now: int) -> None:
    region = swarm.region[host]
    swarm.state[host] = ACTIVE
    swarm.cursor[ACTIVE_COUNT] += 1
    swarm.present[region, swarm.present_count[region]] = host
    swarm.present_count[region] += 1
    if rules.handout_every > 0 and _tracker_is_up(rules, now):
        handout(swarm, rules, host)


@inner
def come_and_go(swarm: Swarm, rules: Rules, now: int) -> None:
    """Carry out the joins and deaths that are due, and renew neighbours on the tracker's beat."""
    while swarm.cursor[NEXT_EVENT] < swarm.events.shape[0] and swarm.events[swarm.cursor[NEXT_EVENT], 0] <= now:
        kind, host = swarm.events[swarm.cursor[NEXT_EVENT], 1], swarm.events[swarm.cursor[NEXT_EVENT], 2]
        swarm.cursor[NEXT_EVENT] += 1
        if kind == ACTIVE:
            _join(swarm, rules, host, now)
        elif swarm.state[host] != GONE:
            leave(swarm, rules, host)
            swarm.free[host] = 8  # requests that were under way to it, and vanish
    if rules.leave_chance > 0.0:
        for host in range(rules.hosts):
            if swarm.state[host] == COMPLETE and chance(swarm.dice) < rules.leave_chance:
                leave(swarm, rules, host)
                swarm.free[host] = 0
    if rules.handout_every > 0 and now % rules.handout_every == 0 and _tracker_is_up(rules, now):
        for host in range(rules.hosts):
            if swarm.state[host] == ACTIVE:
                handout(swarm, rules, host)


@inner
def refill(swarm: Swarm, rules: Rules, now: int) -> None:
    """Everybody's credits grow by one step; unused ones do not pile up beyond the burst."""
    possible = 0
    for host in range(rules.hosts):
        state = swarm.state[host]
        if state in (ACTIVE, COMPLETE):
            left = swarm.up_credit[host] - swarm.whole[host] + swarm.free[host]
            credit = min(left, BURST) + swarm.up_rate[host]
            swarm.up_credit[host] = credit
            swarm.whole[host] = np.int8(min(credit, np.float32(120.0)))
            swarm.free[host] = swarm.whole[host]
            possible += swarm.free[host]
        if state == ACTIVE:
            credit = min(swarm.down_credit[host], BURST) + swarm.down_rate[host]
            swarm.down_credit[host] = credit
    swarm.cursor[CAPACITY] = possible
    for way in range(2):
        for region in range(swarm.feed_rate.shape[1]):
            rate = swarm.feed_rate[way, region]
            for k in range(swarm.cuts.shape[0]):
                if swarm.cuts[k, 0] == region and swarm.cuts[k, 1] <= now < swarm.cuts[k, 2]:
                    rate = 0.0
                    swarm.feed_credit[way, region] = 0.0
            swarm.feed_credit[way, region] = min(swarm.feed_credit[way, region], 1.0) + rate
        for rack in range(swarm.rack_rate.shape[1]):
            swarm.rack_credit[way, rack] = min(swarm.rack_credit[way, rack], 1.0) + swarm.rack_rate[way, rack]
