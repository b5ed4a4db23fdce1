"""Everything that a run knows, as one tuple of arrays. H hosts, C chunks in W words, R regions, S sources."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.facts import ORIGIN, RACK, REGION, REMOTE, SEEDER

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U64 = npt.NDArray[np.uint64]
I8 = npt.NDArray[np.int8]

AWAY, ACTIVE, COMPLETE, GONE = 0, 1, 2, 3
"""A host's state: not here yet, downloading, has it all, left or died."""

FROM_ORIGIN, FROM_SEEDER, FROM_RACK, FROM_REGION, FROM_REMOTE = ORIGIN, SEEDER, RACK, REGION, REMOTE

FULL, BUSY, NOTHING_NEW, FEED, NO_PEERS = range(5)
LIMITS = ("own downlink", "peers' uplinks", "peers have nothing new", "origin and feeds", "knows no peers")


class Swarm(NamedTuple):
    """One swarm. Rates and credits are chunks per step and chunks; times are steps."""

    has: U64
    """[H + S, W] chunks that the host, then the source, can serve."""
    taken: U64
    """[H, W] chunks that the host has or awaits."""
    first: I32
    """[H] first word of `taken` that is not full."""
    has_count: I32
    taken_count: I32
    state: I8
    region: I32
    rack: I32
    up_rate: F32
    down_rate: F32
    up_credit: F32
    down_credit: F32
    whole: I8
    """[H] whole chunks that the host might send in this step."""
    free: I8
    """[H] those of them that it may still send."""
    delay: I32
    """[H] steps that a chunk from this host travels until it can be served on."""
    finish: I32
    """[H] step at which the host had everything, -1 before."""
    peers: I32
    """[H, width] neighbours in the region; the first `rack_degree` columns in the rack."""
    remotes: I32
    """[H, remote degree] neighbours in other regions."""
    counts: I32
    """[R, C] how many hosts of the region have the chunk."""
    held: U64
    """[R, W] chunks that somebody in the region has or awaits."""
    lack_count: I32
    newest: I32
    """[R] last word in which the region has or awaits something, -1 at first."""
    feed_rate: F64
    """[2, R] into and out of the region, chunks per step; inf where nothing caps it."""
    feed_credit: F64
    cuts: F64
    """[K, 3] region, first step, last step of a cut of the region's links."""
    spare: F64
    """[R] copies beyond the first that may still come in, in chunks."""
    rack_rate: F64
    """[2, racks] into and out of each rack."""
    rack_credit: F64
    source_region: I32
    """[S] -1: outside all regions (the origin)."""
    source_rate: F64
    source_credit: F64
    source_budget: F64
    """[S] chunks that the source may still send beyond one copy a region."""
    sent: I32
    """[S, C]"""
    arrivals: I32
    """[ring, capacity, 3] host, chunk, sender (-1 - source), by step of arrival modulo ring, a power of two."""
    arrival_count: I64
    lost: I32
    """[capacity, 3] host, chunk, step: awaited from somebody who died; asked for anew at that step."""
    events: I64
    """[E, 3] step, kind (ACTIVE: joins, GONE: dies), host; sorted."""
    present: I32
    """[R, H] hosts that are here, for handouts."""
    present_count: I32
    moved: I64
    """[len(SOURCES)] chunks delivered by kind of source."""
    crossed: I64
    """[R] chunks that came into the region from outside."""
    limits: I64
    """[len(LIMITS)] host-steps by what limited them."""
    cursor: I64
    """next event, lost entries, hosts complete, hosts gone incomplete, chunks wasted, uploads possible, present."""
    tries: I64
    """[R] hosts that may still look for a chunk in other regions in this step."""
    dice: U64


NEXT_EVENT, LOST, DONE, DIED, WASTED, CAPACITY, ACTIVE_COUNT = range(7)


class Rules(NamedTuple):
    """What does not change in a run. Counts, and times in steps."""

    hosts: int
    chunks: int
    words: int
    rack_degree: int
    dial: int
    """columns of `peers` that a host fills itself; the rest is for those who dial it"""
    sample: int
    """pieces compared when picking the rarest"""
    delay: int
    """steps that a chunk travels within a region, where that is the same for all hosts; else 0"""
    exact: bool
    """pick by the daemon's rule to the letter, at twice the time"""
    wan_delay: int
    timeout: int
    """until a chunk asked of a dead peer is asked for anew"""
    passes: int
    handout_every: int
    """steps between announces; 0: neighbours never change"""
    outage_start: int
    outage_end: int
    leave_chance: float
    """per step, of a host that has everything"""
