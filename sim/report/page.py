"""The page: headline figures, then charts, then everything that was put in and came out."""

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files

import numpy as np

from sim.result import Result, figure

from . import charts
from .charts import F64, Line, Mark
from .moments import away, reached
from .svg import amount, lasting, percent, tag

UNBROKEN = "\u00a0"
"""Between a figure and its unit."""
SMOOTHING = 3
"""Samples that a rate is averaged over: single samples hold only a few steps of the kernel."""


def _card(title: str, words: str, inner: str, *, wide: bool = False) -> str:
    return tag("section", tag("h2", html.escape(title)) + tag("p", html.escape(words)) + inner,
               class_="card wide" if wide else "card")  # fmt: skip


def _array(result: Result, name: str) -> F64:
    return np.asarray(result.arrays[name], dtype=np.float64)


def _rates(time: F64, cumulative: F64) -> F64:
    """Bits per second from cumulative bytes [time, columns], smoothed."""
    width = max(1e-12, float(np.median(np.diff(time)))) if len(time) > 1 else 1.0
    rate = np.diff(cumulative, axis=0, prepend=cumulative[:1]) * 8 / width
    kernel = np.ones(SMOOTHING) / SMOOTHING
    return np.stack([np.convolve(rate[:, k], kernel, mode="same") for k in range(rate.shape[1])], axis=1)


def _tiles(result: Result) -> str:
    facts = result.facts
    items: list[tuple[str, str]] = []
    for key, words in (("p50_s", "half have it"), ("p99_s", "99 % have it"), ("last_s", "the last one has it")):
        if key in facts:
            items.append((lasting(facts[key]), words))
    if "last_over_bound" in facts:
        items.append(
            (f"{facts['last_over_bound']:.3f} ×", "the bound of " + lasting(facts["bound_s"]).replace(" ", UNBROKEN))
        )
    if "copies_into_region_mean" in facts:
        if facts["copies_into_region_max"]:
            items.append((f"{facts['copies_into_region_max']:.2f}", "copies into the region with most"))
        sender = "origin" if facts["origin_copies"] or not facts["seeder_copies"] else "seeder"
        items.append((f"{facts[f'{sender}_copies']:.2f}", f"copies sent by the {sender}{'s' * (sender == 'seeder')}"))
    if "cdn_bytes" in facts:
        items.append((amount(facts["cdn_bytes"], "B"), "from the CDN in all"))
        items.append((amount(facts["downloading_max"]), "downloading at once, at most"))
    peers = facts["share_from_peers"]
    items.append(("> 99.9 %" if 0.999 < peers < 1.0 else percent(peers), "of the bytes came from peers"))
    if facts.get("unfinished"):
        items.append((f"{facts['unfinished']:.0f}", "hosts never finished"))
    return tag(
        "div",
        "".join(
            tag("div", tag("b", html.escape(big)) + tag("span", html.escape(small)), class_="tile")
            for big, small in items
        ),
        class_="tiles",
    )


def _completion(result: Result) -> str:
    time = _array(result, "time_s")
    series = [Line("have everything", _array(result, "completed"), 0, filled=True)]
    if "progress" in result.arrays:
        series.append(Line("share of all bytes delivered", _array(result, "progress"), 2))
    if "offered" in result.arrays:
        series.append(Line("offered by an open ring", _array(result, "offered"), 1))
    bound = result.facts["bound_s"]
    marks = [Mark(bound, f"{'earliest possible end' if result.engine == 'cohort' else 'bound'} {lasting(bound)}")]
    drawing = charts.lines(
        time, series, "completion over time", percent, marks, y_high=1.12, wide=True,
        spots=() if "finish_s" in result.arrays else reached(result), spans=away(result),
    )  # fmt: skip
    words = "Who has everything, over time. No policy can have the last one served before the dashed line."
    return _card("Completion", words, drawing, wide=True)


def _sources(result: Result) -> str:
    time = _array(result, "time_s")
    rates = _rates(time, _array(result, "bytes_by_source"))
    totals = _array(result, "bytes_by_source")[-1]
    names = [
        f"{name}: {amount(total, 'B')}, {percent(total / max(1.0, totals.sum()))}"
        for name, total in zip(result.labels["bytes_by_source"], totals.tolist(), strict=True)
    ]
    drawing = charts.layers(time, rates, names, "bytes by source over time", lambda v: amount(v, "bit/s"))
    return _card("Where the bytes came from", "Delivered per second, by the kind of source; and in all.", drawing)


def _scale_cards(result: Result) -> list[str]:
    time = _array(result, "time_s")
    cards = []
    finish = _array(result, "finish_s")
    if np.isfinite(finish).any():
        words = "Each host's finish, with percentiles: seconds, and as a multiple of the bound."
        picture = charts.finish(finish, result.facts["bound_s"], "finish times")
        cards.append(_card("The finish", words, picture, wide=True))
    cards.append(_sources(result))
    if "limits" in result.arrays:
        limits = charts.layers(
            time[1:], _array(result, "limits")[1:], result.labels["limits"], "what limited whom", percent, y_high=1.0
        )
        cards.append(
            _card("What limited whom", "Share of the downloading hosts, by what kept them from going faster.", limits)
        )
    return cards + _crossing_cards(result, time)


def _crossing_cards(result: Result, time: F64) -> list[str]:
    """What came into regions from outside; nothing where nothing did."""
    crossed = _array(result, "crossed_bytes")
    if not crossed[-1].any():
        return []
    copies = crossed[-1] / result.facts["size_bytes"]
    rows = [(name, float(n)) for name, n in zip(result.labels["crossed_bytes"], copies, strict=True)][:16]
    rows.append(("sent by the origin", result.facts["origin_copies"]))
    least = 0.0 if _seeded(result) else 1.0
    bars = charts.bars(rows, "copies into each region", lambda v: f"{v:.2f}", least=least)
    flow = _rates(time, crossed.sum(axis=1, keepdims=True))[:, 0]
    line = charts.lines(
        time, [Line("into all regions", flow, 3, filled=True)], "cross-region traffic", lambda v: amount(v, "bit/s")
    )
    return [
        _card("Copies across regions", "Copies of the release that came into each region from outside.", bars),
        _card("Traffic between regions", "What came into all regions together from outside, per second.", line),
    ]


def _seeded(result: Result) -> bool:
    seeders = result.settings.get("seeders")
    return isinstance(seeders, Mapping) and bool(seeders.get("per_region"))


def _cohort_cards(result: Result) -> list[str]:
    time = _array(result, "time_s")
    cards = [_sources(result)]
    capacity = result.facts["cdn_bytes_per_s_max"] / max(result.facts["cdn_capacity_used_max"], 1e-12) * 8
    cdn = charts.lines(
        time, [Line("CDN", _array(result, "cdn_bytes_per_s") * 8, 0, filled=True)], "CDN load",
        lambda v: amount(v, "bit/s"), [Mark(capacity, f"capacity {amount(capacity, 'bit/s')}", across=True)],
    )  # fmt: skip
    cards.append(_card("Load on the CDN", "Never above its capacity: everybody is slowed down alike.", cdn))
    busy = [
        Line("downloading", _array(result, "downloading"), 0, filled=True),
        Line("waiting for a check-in", _array(result, "waiting"), 1),
    ]
    cards.append(
        _card(
            "Devices at work",
            "Online and downloading; and offered, but not yet checked in.",
            charts.lines(time, busy, "devices at work", amount),
        )
    )
    sizes, shares = _array(result, "lan_sizes"), _array(result, "outside_share_by_lan")
    rows = [(f"LAN of {size:.0f}", float(share)) for size, share in zip(sizes, shares, strict=True)]
    words = "Bytes that came in from outside (CDN or internet peers), per byte installed, by the size of the LAN."
    cards.append(_card("What LANs save", words, charts.bars(rows, "outside bytes by LAN size", percent)))
    return cards


def _rows(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            rows += _rows(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for i, item in enumerate(value):
                rows += _rows(item, f"{prefix}{key}[{i}].")
        else:
            rows.append((prefix + key, str(value)))
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = tag("tr", "".join(tag("th", html.escape(name)) for name in head))
    body = "".join(tag("tr", "".join(tag("td", html.escape(cell)) for cell in row)) for row in rows)
    return tag("div", tag("table", top + body), class_="scroll")


def _document(title: str, body: str) -> str:
    style = (files("sim.report") / "page.css").read_text(encoding="utf-8")
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        + tag("title", html.escape(title)) + tag("style", style)
    )  # fmt: skip
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>{body}</main></body></html>\n'


def _header(eyebrow: str, title: str, about: str) -> str:
    return tag(
        "header",
        tag("p", html.escape(eyebrow), class_="eyebrow") + tag("h1", html.escape(title)) + tag("p", html.escape(about)),
    )


def page(result: Result) -> str:
    """The report of one run, as the text of an HTML file that needs nothing else."""
    cards = [_completion(result), *(_cohort_cards(result) if result.engine == "cohort" else _scale_cards(result))]
    facts = [(key, figure(value, ".6g")) for key, value in result.facts.items()]
    body = (
        _header(f"engine {result.engine} · rng seed {result.rng_seed}", result.scenario, result.about)
        + _tiles(result)
        + tag("div", "".join(cards), class_="cards")
        + tag("details", tag("summary", "All figures") + _table(("fact", "value"), facts), class_="card")
        + tag(
            "details",
            tag("summary", "The scenario, as it was run") + _table(("key", "value"), _rows(result.settings)),
            class_="card",
        )
        + tag(
            "footer", "The same scenario and seed give the same figures. What the model leaves out: docs/simulator.md."
        )
    )
    return _document(f"{result.scenario} · p2p-sim", body)


def compare_page(results: Sequence[tuple[str, Result]]) -> str:
    """Several runs on one page: their completion curves together, and their figures side by side."""
    span = max(float(_array(result, "time_s")[-1]) for _, result in results)
    time = np.linspace(0.0, span, charts.POINTS_MAX)
    series = [
        Line(name, np.interp(time, _array(result, "time_s"), _array(result, "completed")), k % 6)
        for k, (name, result) in enumerate(results)
    ]
    keys = [key for key in results[0][1].facts if all(key in result.facts for _, result in results)]
    rows = [[key, *(f"{result.facts[key]:.5g}" for _, result in results)] for key in keys]
    chart = charts.lines(time, series, "completion", percent, y_high=1.02, wide=True)
    figures = tag("h2", "Figures") + _table(("fact", *(name for name, _ in results)), rows)
    cards = _card("Completion", "Who has everything, over time.", chart, wide=True)
    body = (
        _header("comparison", " · ".join(name for name, _ in results), results[0][1].about)
        + tag("div", cards + tag("section", figures, class_="card wide"), class_="cards")
        + tag("footer", "The same scenario and seed give the same figures.")
    )
    return _document("comparison · p2p-sim", body)


def sweep_page(key: str, results: Sequence[tuple[str, Result]]) -> str:
    """As `compare_page`, for one scenario with one setting varied."""
    return compare_page([(f"{key} = {value}", result) for value, result in results])
