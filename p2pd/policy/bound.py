"""How fast a download could be at best: what its sources can send, as far as the caps let it in."""

from collections.abc import Mapping

LAN = "lan"


def bound_per_s(sources_per_s: Mapping[str, float], *, lan_cap_per_s: float, wide_cap_per_s: float) -> float:
    """Bytes a second. `sources_per_s`: by tier, the most that each source of today ever sent a second, together.

    All of them at their best at once is optimistic where they share a link of theirs or ours; nothing better is known.
    """
    lan = sources_per_s.get(LAN, 0.0)
    wide = sum(per_s for tier, per_s in sources_per_s.items() if tier != LAN)
    return min(lan, lan_cap_per_s) + min(wide, wide_cap_per_s)
