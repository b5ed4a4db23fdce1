"""What happens to chunks on their way: sent, arrived, lost with their sender."""

import numpy as np

from .compiled import inlined, inner
from .dice import bit, lowest_bit, without_lowest
from .state import (
    ACTIVE,
    ACTIVE_COUNT,
    COMPLETE,
    DIED,
    DONE,
    GONE,
    LOST,
    WASTED,
    Rules,
    Swarm,
)


@inlined
def _hold(swarm: Swarm, region: int, chunk: int) -> None:
    """Somebody in the region has or awaits the chunk."""
    word = chunk >> 6
    if swarm.held[region, word] & bit(chunk) == 0:
        swarm.held[region, word] |= bit(chunk)
        swarm.lack_count[region] -= 1
        if word > swarm.newest[region]:
            swarm.newest[region] = word


@inlined
def send(swarm: Swarm, rules: Rules, now: int, host: int, chunk: int, sender: int, travel: int, kind: int) -> None:
    """A chunk leaves for `host` and arrives `travel` steps later; nobody else will be asked for it meanwhile."""
    swarm.taken[host, chunk >> 6] |= bit(chunk)
    swarm.taken_count[host] += 1
    swarm.down_credit[host] -= np.float32(1.0)
    _hold(swarm, swarm.region[host], chunk)
    due = (now + travel) & (swarm.arrivals.shape[0] - 1)
    while swarm.arrival_count[due] == swarm.arrivals.shape[1]:
        due = (due + 1) & (swarm.arrivals.shape[0] - 1)  # links of all speeds at once: the step is full
    place = swarm.arrival_count[due]
    swarm.arrivals[due, place, 0] = host
    swarm.arrivals[due, place, 1] = chunk
    swarm.arrivals[due, place, 2] = sender
    swarm.arrival_count[due] = place + 1
    swarm.moved[kind] += 1


@inlined
def _lose(swarm: Swarm, host: int, chunk: int, until: int) -> None:
    """The sender died on the way: the host notices at step `until`."""
    place = swarm.cursor[LOST]
    swarm.cursor[WASTED] += 1
    if place < swarm.lost.shape[0]:
        swarm.lost[place, 0] = host
        swarm.lost[place, 1] = chunk
        swarm.lost[place, 2] = until
        swarm.cursor[LOST] = place + 1
    else:
        _forget(swarm, host, chunk)


@inlined
def _forget(swarm: Swarm, host: int, chunk: int) -> None:
    """The host no longer awaits the chunk; if nobody else in its region has it, the region lacks it again."""
    word = chunk >> 6
    swarm.taken[host, word] &= ~bit(chunk)
    swarm.taken_count[host] -= 1
    if word < swarm.first[host]:
        swarm.first[host] = word
    region = swarm.region[host]
    if swarm.counts[region, chunk] == 0 and swarm.held[region, word] & bit(chunk) != 0:
        swarm.held[region, word] &= ~bit(chunk)
        swarm.lack_count[region] += 1


@inner
def notice_losses(swarm: Swarm, now: int) -> None:
    """Those whose request timed out at this step may ask anew."""
    kept = 0
    for i in range(swarm.cursor[LOST]):
        if swarm.lost[i, 2] > now:
            for k in range(3):
                swarm.lost[kept, k] = swarm.lost[i, k]
            kept += 1
        elif swarm.state[swarm.lost[i, 0]] == ACTIVE:
            _forget(swarm, swarm.lost[i, 0], swarm.lost[i, 1])
    swarm.cursor[LOST] = kept


@inner
def arrive(swarm: Swarm, rules: Rules, now: int) -> None:
    """Chunks due at this step become servable; who has all of them is done."""
    due = now & (swarm.arrivals.shape[0] - 1)
    for i in range(swarm.arrival_count[due]):
        host, chunk, sender = swarm.arrivals[due, i, 0], swarm.arrivals[due, i, 1], swarm.arrivals[due, i, 2]
        if swarm.state[host] != ACTIVE:
            swarm.cursor[WASTED] += 1
            continue
        if sender >= 0 and swarm.state[sender] == GONE:
            _lose(swarm, host, chunk, now + rules.timeout)
            continue
        swarm.has[host, chunk >> 6] |= bit(chunk)
        swarm.has_count[host] += 1
        swarm.counts[swarm.region[host], chunk] += 1
        _hold(swarm, swarm.region[host], chunk)
        if swarm.has_count[host] == rules.chunks:
            swarm.finish[host] = now
            swarm.state[host] = COMPLETE
            swarm.cursor[DONE] += 1
            swarm.cursor[ACTIVE_COUNT] -= 1
    swarm.arrival_count[due] = 0


@inner
def leave(swarm: Swarm, rules: Rules, host: int) -> None:
    """A host goes, at once and without a word; what only it had, its region lacks."""
    if swarm.state[host] == ACTIVE:
        swarm.cursor[DIED] += 1
        swarm.cursor[ACTIVE_COUNT] -= 1
    swarm.state[host] = GONE
    region = swarm.region[host]
    for word in range(rules.words):
        held = swarm.taken[host, word]
        while held != 0:
            chunk = word * 64 + lowest_bit(held)
            held = without_lowest(held)
            if chunk >= rules.chunks:
                break
            if swarm.has[host, word] & bit(chunk) != 0:
                swarm.counts[region, chunk] -= 1
            if swarm.counts[region, chunk] == 0 and swarm.held[region, word] & bit(chunk) != 0:
                swarm.held[region, word] &= ~bit(chunk)
                swarm.lack_count[region] += 1
    for i in range(swarm.present_count[region]):
        if swarm.present[region, i] == host:
            last = swarm.present_count[region] - 1
            swarm.present[region, i] = swarm.present[region, last]
            swarm.present_count[region] = last
            break
