"""The little that a chart needs: ticks, a frame that maps values to pixels, and tags."""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Format = Callable[[float], str]


def tag(name: str, inner: str = "", **attributes: object) -> str:
    """`<name a="…">inner</name>`; underscores in names become hyphens, `class_` is `class`."""
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items()
    )
    return f"<{name}{text}>{inner}</{name}>"


def text(x: float, y: float, words: str, **attributes: object) -> str:
    """A label; `words` are escaped."""
    return tag("text", html.escape(words), x=f"{x:.1f}", y=f"{y:.1f}", **attributes)


def ticks(low: float, high: float, about: int = 5, units: Sequence[float] = (1.0, 2.0, 2.5, 5.0)) -> list[float]:
    """Round values between `low` and `high`, about so many."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((power * unit for unit in (*units, 10.0) if power * unit >= raw), power * 10.0)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip


def time_ticks(low: float, high: float, about: int = 7) -> list[float]:
    """As `ticks`, at moments that a clock knows."""
    if high - low < about:
        return ticks(low, high, about)
    step = next((s for s in _TIME_STEPS if (high - low) / s <= about + 1), _TIME_STEPS[-1])
    return [float(k * step) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def clock(seconds: float) -> str:
    """A moment in the largest unit that suits it: `45 s`, `2 min`, `2:15 min`, `1.5 h`, `3 d`."""
    if 120 <= seconds < 3600 and seconds % 60:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= size * (2 if unit == "min" else 1):
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} s"


def lasting(seconds: float) -> str:
    """A length of time in two units: `86.4 s`, `3 min 07 s`, `2 h 05 min`, `3 d 17 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    small, large, unit, parts = (
        ("s", "min", 1, 60) if seconds < 3600 else ("min", "h", 60, 60) if seconds < 86400 else ("h", "d", 3600, 24)
    )
    whole, rest = divmod(round(seconds / unit), parts)
    return f"{whole} {large} {rest:02d} {small}"


def amount(value: float, unit: str = "") -> str:
    """With a metric prefix and three digits: `12.5 G`."""
    size = abs(value)
    for prefix, power in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if size >= power:
            return f"{value / power:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}".strip()


def percent(value: float) -> str:
    """`37 %`."""
    return f"{100 * value:.3g} %"


@dataclass(frozen=True)
class Frame:
    """Where the data's corner values lie on the picture, in pixels."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    width: float = 524.0
    height: float = 264.0
    left: float = 62.0
    right: float = 18.0
    top: float = 14.0
    bottom: float = 34.0

    def x(self, value: float) -> float:
        """Pixels from the left."""
        span = (self.x_high - self.x_low) or 1.0
        return self.left + (value - self.x_low) / span * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        span = (self.y_high - self.y_low) or 1.0
        return self.height - self.bottom - (value - self.y_low) / span * (self.height - self.top - self.bottom)

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """The `d` of a line through these values."""
        return "M" + "L".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def axes(self, x_ticks: Sequence[float], y_ticks: Sequence[float], x_format: Format, y_format: Format) -> str:
        """Grid lines and their labels."""
        base = self.height - self.bottom
        parts = [
            tag(
                "line",
                x1=self.left,
                x2=self.width - self.right,
                y1=f"{self.y(v):.1f}",
                y2=f"{self.y(v):.1f}",
                class_="grid",
            )
            + text(self.left - 9, self.y(v) + 4, y_format(v), text_anchor="end")
            for v in y_ticks
        ]
        parts += [text(self.x(v), base + 21, x_format(v), text_anchor="middle") for v in x_ticks]
        parts.append(tag("line", x1=self.left, x2=self.width - self.right, y1=base, y2=base, class_="axis"))
        return "".join(parts)

    def draw(self, inner: str, label: str) -> str:
        """The whole picture; `label` says in words what it shows."""
        box = f"0 0 {self.width:g} {self.height:g}"
        return tag("svg", tag("title", html.escape(label)) + inner, viewBox=box, role="img")


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places (in rising order) moved as little as it takes to keep them `gap` apart, between `low` and `high`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, low, moved[-1] + gap if moved else low))
    ceiling = high
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved
