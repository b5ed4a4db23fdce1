"""What of a run is worth a mark on a time axis: percentiles that were reached, and when something was away."""

from collections.abc import Mapping, Sequence
from typing import Final

from sim.reading import quantity
from sim.result import Result

from .charts import Span, Spot

REACHED: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))


def reached(result: Result) -> list[Spot]:
    """When which share of the receivers had everything."""
    return [Spot(result.facts[f"{name}_s"], share, name) for name, share in REACHED if f"{name}_s" in result.facts]


def away(result: Result) -> list[Span]:
    """When a region was cut off, and when no tracker answered."""
    regions, tracker = (_table(result.settings.get(name)) for name in ("regions", "tracker"))
    cuts = regions.get("cuts")
    spans = [
        _span(f"region {cut.get('region')} is cut off", cut.get("from_s"), cut.get("until_s"))
        for cut in map(_table, cuts if isinstance(cuts, Sequence) else ())
    ]
    if tracker.get("outage_until_s"):
        spans.append(_span("no tracker answers", tracker.get("outage_from_s", 0.0), tracker["outage_until_s"]))
    return spans


def _span(label: str, begins: object, ends: object) -> Span:
    return Span(quantity("from_s", begins), quantity("until_s", ends), label)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
