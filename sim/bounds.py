"""Closed forms that no run may beat, and that good runs come near to."""

import math

from .plan import SwarmPlan


def fluid_bound_s(
    size_bytes: float,
    receivers: int,
    source_bytes_per_s: float,
    uplinks_bytes_per_s: float,
    slowest_downlink_bytes_per_s: float,
) -> float:
    """Least time to give `size_bytes` to all: max(F/u_s, F/d_min, N F/(u_s + sum u_i)).

    `uplinks_bytes_per_s` is the sum over the receivers. Kumar and Ross 2006; the fluid limit of Mundinger et al. 2008.
    """
    return max(
        size_bytes / source_bytes_per_s,
        size_bytes / slowest_downlink_bytes_per_s,
        receivers * size_bytes / (source_bytes_per_s + uplinks_bytes_per_s),
    )


def chunked_optimum_s(size_bytes: float, parts: int, receivers: int, link_bytes_per_s: float) -> float:
    """Least time in `parts` equal parts over equal links, up as fast as down: (1 + floor(log2 N) / M) F / u.

    Mundinger, Weber and Weiss, Optimal scheduling of peer-to-peer file dissemination, J. Scheduling 11 (2008) 105-120.
    """
    return (1 + math.floor(math.log2(receivers)) / parts) * size_bytes / link_bytes_per_s


def bound_s(plan: SwarmPlan) -> float:
    """The fluid bound of a plan, with feeds, cuts, racks and joins: no policy can have all hosts done sooner."""
    hosts = plan.hosts
    slow = 1.0 / hosts.slow_factor if hosts.slow_share else 1.0
    uplinks = hosts.count * hosts.uplink_bytes_per_s * (1.0 - hosts.slow_share + hosts.slow_share * slow)
    seeders = plan.regions.count * plan.seeders.per_region * plan.seeders.uplink_bytes_per_s
    source = plan.origin.uplink_bytes_per_s + seeders
    bound = fluid_bound_s(plan.content.size_bytes, hosts.count, source, uplinks, hosts.downlink_bytes_per_s * slow)
    if not seeders:
        bound = max(bound, plan.content.size_bytes / plan.regions.feed_bytes_per_s)
        for cut in plan.regions.cuts:
            through_s = plan.content.size_bytes / plan.regions.feed_bytes_per_s
            if cut.from_s < through_s < math.inf:
                bound = max(bound, through_s + cut.until_s - cut.from_s)
    if plan.racks.hosts:
        bound = max(bound, plan.content.size_bytes / plan.racks.uplink_bytes_per_s)
    return max(bound, hosts.join_over_s + plan.content.size_bytes / hosts.downlink_bytes_per_s)
