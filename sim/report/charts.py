"""Four kinds of picture: lines, layers, bars, and the finish of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .svg import Format, Frame, apart, clock, lasting, percent, tag, text, ticks, time_ticks

F64 = npt.NDArray[np.float64]
WIDE = {"width": 1084.0, "height": 320.0}
POINTS_MAX = 360
"""Points of a line: one for every other pixel."""


@dataclass(frozen=True)
class Line:
    """One line: its name in the legend, its values, its colour (0 to 5), and whether the area below is tinted."""

    name: str
    values: F64
    colour: int = 0
    filled: bool = False


@dataclass(frozen=True)
class Mark:
    """A value that matters, drawn as a dashed line with a label. `across`: horizontal."""

    at: float
    label: str
    across: bool = False


@dataclass(frozen=True)
class Spot:
    """A point on the first line that matters, with its name."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Span:
    """A time in which something was different, drawn as a band with a label."""

    begins: float
    ends: float
    label: str


def legend(names: Sequence[tuple[str, int]]) -> str:
    """Names beside their colours."""
    items = "".join(tag("li", tag("i", class_=f"b{colour}") + tag("span", name)) for name, colour in names)
    return tag("ul", items, class_="legend")


def _thin(length: int) -> npt.NDArray[np.int64]:
    """Indices of at most POINTS_MAX of so many points, ends included."""
    if length <= POINTS_MAX:
        return np.arange(length)
    return np.unique(np.linspace(0, length - 1, POINTS_MAX).astype(np.int64))


def _mark(frame: Frame, mark: Mark) -> str:
    if mark.across:
        y = f"{frame.y(mark.at):.1f}"
        line = tag("line", x1=frame.left, x2=frame.width - frame.right, y1=y, y2=y, class_="mark")
        return line + text(frame.left + 8, frame.y(mark.at) - 6, mark.label, class_="marked")
    x = frame.x(mark.at)
    line = tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=frame.top, y2=frame.height - frame.bottom, class_="mark")
    end = x > frame.width * 0.6
    return line + text(
        x + (-7 if end else 7), frame.top + 12, mark.label, class_="marked", text_anchor="end" if end else "start"
    )


def _spot(frame: Frame, spot: Spot) -> str:
    x, y = frame.x(spot.x), frame.y(spot.y)
    circle = tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.6, class_="dot")
    return circle + text(x - 8, y - 7, f"{spot.label} {lasting(spot.x)}", class_="strong", text_anchor="end")


def _band(frame: Frame, span: Span) -> str:
    left, right = frame.x(span.begins), frame.x(min(span.ends, frame.x_high))
    box = tag(
        "rect", x=f"{left:.1f}", y=frame.top, width=f"{right - left:.1f}",
        height=frame.height - frame.bottom - frame.top, class_="band",
    )  # fmt: skip
    return box + text(left + 6, frame.height - frame.bottom - 8, span.label)


def lines(
    time: F64,
    series: Sequence[Line],
    label: str,
    y_format: Format,
    marks: Sequence[Mark] = (),
    y_high: float = 0.0,
    wide: bool = False,
    spots: Sequence[Spot] = (),
    spans: Sequence[Span] = (),
) -> str:
    """Values over time."""
    across = [mark.at for mark in marks if mark.across]
    high = y_high or max([float(line.values.max(initial=0.0)) for line in series] + across + [1e-12]) * 1.06
    last = max([float(time[-1])] + [mark.at for mark in marks if not mark.across])
    frame = Frame(0.0, last, 0.0, high, **WIDE) if wide else Frame(0.0, last, 0.0, high)
    keep = _thin(len(time))
    parts = [_band(frame, span) for span in spans if span.begins < last]
    parts.append(frame.axes(time_ticks(0.0, last, 12 if wide else 6), ticks(0.0, high), clock, y_format))
    for line in series:
        points = list(zip(time[keep].tolist(), line.values[keep].tolist(), strict=True))
        if line.filled:
            area = [(points[0][0], 0.0), *points, (points[-1][0], 0.0)]
            parts.append(tag("path", d=frame.path(area) + "Z", class_=f"fill f{line.colour}"))
        parts.append(tag("path", d=frame.path(points), class_=f"line s{line.colour}"))
    parts += [_mark(frame, mark) for mark in marks] + [_spot(frame, spot) for spot in spots]
    names = legend([(line.name, line.colour) for line in series]) if len(series) > 1 else ""
    return frame.draw("".join(parts), label) + names


def layers(
    time: F64,
    columns: F64,
    names: Sequence[str],
    label: str,
    y_format: Format,
    marks: Sequence[Mark] = (),
    y_high: float = 0.0,
) -> str:
    """Columns [time, names] stacked on one another over time; those that are all zero are left out."""
    used = [k for k in range(columns.shape[1]) if columns[:, k].max(initial=0.0) > 0.0]
    keep = _thin(len(time))
    stack = np.cumsum(columns[keep][:, used], axis=1) if used else np.zeros((len(keep), 0))
    high = y_high or max([float(stack.max(initial=0.0)), 1e-12, *(mark.at for mark in marks if mark.across)]) * 1.06
    frame = Frame(0.0, float(time[-1]), 0.0, high)
    parts = []
    below = np.zeros(len(keep))
    for i, k in enumerate(used):
        upper = list(zip(time[keep].tolist(), stack[:, i].tolist(), strict=True))
        lower = list(zip(time[keep].tolist(), below.tolist(), strict=True))[::-1]
        parts.append(tag("path", d=frame.path([*upper, *lower]) + "Z", class_=f"layer f{k % 6}"))
        below = stack[:, i]
    parts.append(frame.axes(time_ticks(0.0, float(time[-1]), 6), ticks(0.0, high), clock, y_format))
    parts += [_mark(frame, mark) for mark in marks]
    return frame.draw("".join(parts), label) + legend([(names[k], k % 6) for k in used])


def bars(rows: Sequence[tuple[str, float]], label: str, value_format: Format, least: float = 0.0) -> str:
    """One bar a row; `least` is drawn as a mark where it is known what the least possible is."""
    height, gap = 20.0, 9.0
    high = max([value for _, value in rows] + [least, 1e-12]) * 1.14
    widest = 9.0 + 7.2 * max(len(name) for name, _ in rows)
    tall = 8 + len(rows) * (height + gap) + (16 if least else 2)
    frame = Frame(0.0, high, 0.0, 1.0, height=tall, left=widest, right=16.0)
    parts = []
    for i, (name, value) in enumerate(rows):
        y = 8 + i * (height + gap)
        parts.append(text(widest - 9, y + 14.5, name, text_anchor="end"))
        width = max(1.0, frame.x(value) - frame.left)
        parts.append(
            tag("rect", x=f"{frame.left:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=height, rx=4, class_="bar f0")
        )
        parts.append(text(frame.left + width + 8, y + 14.5, value_format(value), class_="strong"))
    if least:
        x = f"{frame.x(least):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=2, y2=tall - 14, class_="mark"))
        parts.append(
            text(
                frame.x(least),
                tall - 2,
                f"least possible: {value_format(least)}",
                class_="marked",
                text_anchor="middle",
            )
        )
    return frame.draw("".join(parts), label)


def finish(finish_s: F64, bound_s: float, label: str) -> str:
    """The share that has everything, from the first host's finish on, with percentiles and the bound."""
    done = np.sort(finish_s[np.isfinite(finish_s)])
    low, high = min(float(done[0]), bound_s), max(float(done[-1]), bound_s)
    pad = max((high - low) * 0.05, 1e-9)
    frame = Frame(low - pad, high + pad, 0.0, 1.02, right=170.0, **WIDE)
    keep = _thin(len(done))
    share = np.arange(1, len(done) + 1) / len(finish_s)
    points = [(float(done[0]), 0.0), *zip(done[keep].tolist(), share[keep].tolist(), strict=True)]
    area = [*points, (points[-1][0], 0.0)]
    parts = [
        frame.axes(time_ticks(low - pad, high + pad, 9), [0.0, 0.25, 0.5, 0.75, 1.0], clock, percent),
        tag("path", d=frame.path(area) + "Z", class_="fill f0"),
        tag("path", d=frame.path(points), class_="line s0"),
        _mark(frame, Mark(bound_s, f"bound {lasting(bound_s)}")),
    ]
    wanted = (("last", 100.0), ("p99.9", 99.9), ("p99", 99.0), ("p90", 90.0), ("p50", 50.0))
    spots = []
    for name, part in wanted:
        index = min(len(done) - 1, max(0, int(np.ceil(part / 100 * len(done))) - 1))
        spots.append((name, float(done[index]), float(share[index])))
    places = apart([frame.y(share) for _, _, share in spots], 19.0, frame.top + 4, frame.height - frame.bottom)
    edge = frame.width - frame.right + 12
    for (name, at, share_then), y in zip(spots, places, strict=True):
        parts.append(tag("path", d=f"M{frame.x(at):.1f},{frame.y(share_then):.1f}L{edge:.1f},{y:.1f}", class_="leader"))
        parts.append(tag("circle", cx=f"{frame.x(at):.1f}", cy=f"{frame.y(share_then):.1f}", r=3.6, class_="dot"))
        parts.append(text(edge + 5, y + 4, name, class_="strong"))
        parts.append(text(edge + 48, y + 4, f"{at:.4g} s · {at / bound_s:.3f} ×"))
    return frame.draw("".join(parts), label)
