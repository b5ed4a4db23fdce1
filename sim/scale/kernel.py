"""The step: what arrived becomes servable, sources offer, then every host pulls what its downlink has room for.

Pulling is by the daemon's order of sources (rack, region, then other regions for what the region lacks altogether) and
its choice of piece (`policy.py`). A host sees its neighbours' pieces as they are; what that leaves out is said in
`docs/simulator.md`.
"""

import numpy as np

from .compiled import compiled, inlined, inner
from .deliver import arrive, notice_losses, send
from .dice import mixed, roll
from .members import come_and_go, refill
from .memory import prefetch
from .policy import NONE, may_cross, offer_next, pick, pick_piece, pick_rarest
from .state import (
    ACTIVE,
    ACTIVE_COUNT,
    BUSY,
    CAPACITY,
    FEED,
    FROM_ORIGIN,
    FROM_RACK,
    FROM_REGION,
    FROM_REMOTE,
    FROM_SEEDER,
    FULL,
    NEXT_EVENT,
    NO_PEERS,
    NOTHING_NEW,
    Rules,
    Swarm,
)

AHEAD = 8
"""Hosts between looking ahead and looking: about the time of one access to memory."""


@inlined
def _travel(swarm: Swarm, rules: Rules, peer: int) -> int:
    """Steps that a chunk from this peer takes; without a look at memory where all are alike."""
    return rules.delay if rules.delay > 0 else int(swarm.delay[peer])


@inlined
def _take(swarm: Swarm, rules: Rules, now: int, host: int, chunk: int, peer: int, travel: int, kind: int) -> None:
    swarm.free[peer] -= 1
    swarm.cursor[CAPACITY] -= 1
    send(swarm, rules, now, host, chunk, peer, _travel(swarm, rules, peer) + travel, kind)


@inlined
def _choose(swarm: Swarm, rules: Rules, peer: int, host: int, first: int, last: int, region: int, start: int) -> int:
    """Which chunk of a peer's to take, by the daemon's own rule or its cheaper form; or NONE."""
    if rules.exact:
        return pick_rarest(swarm.has, peer, swarm.taken, host, last, swarm.counts, region, rules.sample, swarm.dice)
    return pick_piece(
        swarm.has, peer, swarm.taken, host, first, last, swarm.counts, region, start >> 6, start & 63, rules.sample
    )


@inlined
def _pull_near(swarm: Swarm, rules: Rules, now: int, host: int, salt: int) -> int:
    """One chunk from rack or region: -1 when taken, else what prevented it."""
    region = swarm.region[host]
    first, last = swarm.first[host], swarm.newest[region]
    degree, near = swarm.peers.shape[1], rules.rack_degree
    luck = mixed(host, salt)
    turn = (luck & 0xFFF) * degree >> 12
    start = first * 64 + ((luck >> 12) * max(0, last - first + 1) * 64 >> 19)
    known, someone_free = False, False
    for part in range(2 if near > 0 else 1):
        low, width = (0, near) if near > 0 and part == 0 else (near, degree - near)
        crossing = near > 0 and part == 1
        if crossing and swarm.rack_credit[0, swarm.rack[host]] < 1.0:
            break
        place = low + (turn if near == 0 else turn * width // degree)
        for _ in range(width):
            peer = swarm.peers[host, place]
            place = place + 1 if place + 1 < low + width else low
            if peer < 0:
                continue
            known = True
            if swarm.free[peer] <= 0 or (crossing and swarm.rack_credit[1, swarm.rack[peer]] < 1.0):
                continue
            someone_free = True
            chunk = _choose(swarm, rules, peer, host, first, last, region, start)
            if chunk != NONE:
                if crossing:
                    swarm.rack_credit[0, swarm.rack[host]] -= 1.0
                    swarm.rack_credit[1, swarm.rack[peer]] -= 1.0
                _take(swarm, rules, now, host, chunk, peer, 0, FROM_RACK if near > 0 and part == 0 else FROM_REGION)
                return NONE
    return NO_PEERS if not known else (NOTHING_NEW if someone_free else BUSY)


@inlined
def _starved(swarm: Swarm, host: int) -> bool:
    """Its downlink has been idle for a whole step."""
    return bool(swarm.down_credit[host] >= swarm.down_rate[host] + np.float32(0.9))


@inlined
def _look_ahead(swarm: Swarm, rules: Rules, host: int, salt: int) -> None:
    """Fetch into the cache what `_pull_near` will look at first for a host whose turn comes soon."""
    if swarm.state[host] != ACTIVE or swarm.down_credit[host] < 1.0:
        return
    first, last = swarm.first[host], swarm.newest[swarm.region[host]]
    degree = swarm.peers.shape[1]
    luck = mixed(host, salt)
    near = rules.rack_degree
    place = (luck & 0xFFF) * (near if near > 0 else degree) >> 12
    word = first + ((luck >> 12) * max(0, last - first + 1) >> 19)
    for _ in range(8):
        peer = swarm.peers[host, place]
        if peer >= 0 and swarm.free[peer] > 0:
            prefetch(swarm.has, peer, word)
            prefetch(swarm.taken, host, word)
            return
        place = place + 1 if place + 1 < degree else 0


@inlined
def _pull_far(swarm: Swarm, rules: Rules, now: int, host: int, starved: bool) -> bool:
    """One chunk from another region, as far as `may_cross` allows."""
    region = swarm.region[host]
    lacks = swarm.lack_count[region] > 0
    if not may_cross(lacks, swarm.feed_credit[0, region], swarm.spare[region], starved):
        return False
    degree = swarm.remotes.shape[1]
    place = roll(swarm.dice, degree)
    for _ in range(degree):
        peer = swarm.remotes[host, place]
        place = place + 1 if place + 1 < degree else 0
        if peer < 0 or swarm.free[peer] <= 0 or swarm.feed_credit[1, swarm.region[peer]] < 1.0:
            continue
        last = rules.words - 1
        chunk = NONE
        if lacks:
            chunk = pick(swarm.has, peer, swarm.held, region, 0, last, swarm.counts, region, rules.sample, swarm.dice)
        if chunk == NONE and starved and swarm.spare[region] >= 1.0:
            low = swarm.first[host]
            chunk = pick(swarm.has, peer, swarm.taken, host, low, last, swarm.counts, region, rules.sample, swarm.dice)
            if chunk != NONE:
                swarm.spare[region] -= 1.0
        if chunk != NONE:
            swarm.feed_credit[0, region] -= 1.0
            swarm.feed_credit[1, swarm.region[peer]] -= 1.0
            swarm.crossed[region] += 1
            _take(swarm, rules, now, host, chunk, peer, rules.wan_delay, FROM_REMOTE)
            return True
    return False


@inlined
def _reach_out(swarm: Swarm, region: int, wanted: bool) -> bool:
    """Is it this host's turn to look into other regions? Only so many of a region do in one step."""
    if not wanted or swarm.remotes.shape[1] == 0 or swarm.tries[region] <= 0:
        return False
    swarm.tries[region] -= 1
    return True


@inlined
def _serve(swarm: Swarm, rules: Rules, now: int, host: int, turn: int, salt: int) -> None:
    """A host with room in its downlink takes one chunk, from where it may; if it can't, note what limited it."""
    first = swarm.first[host]
    while first < rules.words and ~swarm.taken[host, first] == 0:
        first += 1
    swarm.first[host] = first
    region = swarm.region[host]
    if _reach_out(swarm, region, swarm.lack_count[region] > 0) and _pull_far(swarm, rules, now, host, False):
        return
    why = _pull_near(swarm, rules, now, host, salt)
    if why == NONE:
        full = swarm.down_credit[host] < 1.0
        if turn == 0:
            swarm.limits[FULL if full else BUSY] += 1
        elif full:
            swarm.limits[BUSY] -= 1
            swarm.limits[FULL] += 1
        return
    hungry = why != BUSY and _starved(swarm, host) and swarm.spare[region] >= 1.0
    if _reach_out(swarm, region, hungry) and _pull_far(swarm, rules, now, host, True):
        return
    if turn == 0:
        swarm.limits[FEED if why == NOTHING_NEW and swarm.lack_count[region] > 0 else why] += 1


@inner
def pull(swarm: Swarm, rules: Rules, now: int) -> None:
    """All hosts in turn, from a random one on; a few rounds, so that fast downlinks do not take all from slow ones."""
    for region in range(swarm.feed_rate.shape[1]):
        swarm.tries[region] = 64 + 4 * int(min(swarm.feed_rate[0, region], 1e6))
    for turn in range(rules.passes):
        start = roll(swarm.dice, rules.hosts)
        salt = roll(swarm.dice, 1 << 31)
        for i in range(rules.hosts):
            if turn > 0 and swarm.cursor[CAPACITY] << 8 < swarm.cursor[ACTIVE_COUNT]:
                return  # hardly anybody can still send: not worth everybody's while
            host = start + i if start + i < rules.hosts else start + i - rules.hosts
            ahead = host + AHEAD
            if ahead < rules.hosts:
                _look_ahead(swarm, rules, ahead, salt)
            if swarm.state[host] != ACTIVE or swarm.taken_count[host] == rules.chunks:
                continue
            if swarm.down_credit[host] >= 1.0:
                _serve(swarm, rules, now, host, turn, salt)
            elif turn == 0:
                swarm.limits[FULL] += 1


@inner
def _somebody(swarm: Swarm, region: int) -> int:
    """A random host of the region that is downloading and has room; NONE if eight draws find none."""
    here = swarm.present_count[region]
    if here > 0:
        for _ in range(8):
            host = swarm.present[region, roll(swarm.dice, here)]
            if swarm.state[host] == ACTIVE and swarm.down_credit[host] >= 1.0:
                return int(host)
    return NONE


@inner
def _offer_one(swarm: Swarm, rules: Rules, now: int, source: int, region: int) -> bool:
    """One chunk from a source into a region: what the region lacks; else, within a budget, what a starved host does."""
    outside = swarm.source_region[source] != region
    if outside and swarm.feed_credit[0, region] < 1.0:
        return False
    host = _somebody(swarm, region)
    if host == NONE:
        return False
    chunk = NONE
    if swarm.lack_count[region] > 0:
        chunk = offer_next(swarm.sent, source, swarm.held, region, rules.words, 0)
    elif swarm.source_budget[source] >= 1.0 and _starved(swarm, host):
        low, high = swarm.first[host], rules.words - 1
        row = rules.hosts + source
        chunk = pick(swarm.has, row, swarm.taken, host, low, high, swarm.counts, region, rules.sample, swarm.dice)
        if chunk != NONE:
            swarm.source_budget[source] -= 1.0
    if chunk == NONE:
        return False
    swarm.source_credit[source] -= 1.0
    swarm.sent[source, chunk] += 1
    if outside:
        swarm.feed_credit[0, region] -= 1.0
        swarm.crossed[region] += 1
    kind = FROM_ORIGIN if swarm.source_region[source] < 0 else FROM_SEEDER
    send(swarm, rules, now, host, chunk, -1 - source, 1 + (rules.wan_delay if outside else 0), kind)
    return True


@inner
def offer(swarm: Swarm, rules: Rules, now: int) -> None:
    """Sources name pieces, region by region in turn, until their uplinks are full or nobody takes any."""
    regions = swarm.feed_rate.shape[1]
    for source in range(swarm.source_region.shape[0]):
        rate = swarm.source_rate[source]
        swarm.source_credit[source] = min(swarm.source_credit[source], 1.0) + rate
        home = swarm.source_region[source]
        region = roll(swarm.dice, regions)
        refused = 0
        while swarm.source_credit[source] >= 1.0 and refused < 4 * regions:
            region = region + 1 if region + 1 < regions else 0
            if (home < 0 or home == region) and _offer_one(swarm, rules, now, source, region):
                refused = 0
            else:
                refused += 1


@compiled
def advance(swarm: Swarm, rules: Rules, start: int, steps: int) -> int:
    """Run `steps` steps from step `start`, or until nobody downloads and nobody is to come; the next step's number."""
    for now in range(start, start + steps):
        come_and_go(swarm, rules, now)
        notice_losses(swarm, now)
        arrive(swarm, rules, now)
        if swarm.cursor[ACTIVE_COUNT] == 0 and swarm.cursor[NEXT_EVENT] == swarm.events.shape[0]:
            return now
        refill(swarm, rules, now)
        offer(swarm, rules, now)
        pull(swarm, rules, now)
    return start + steps
