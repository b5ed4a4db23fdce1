"""Counters as Prometheus text, and back. Pure.

Text format 0.0.4: `# HELP name …`, `# TYPE name counter|gauge`, `name{label="value"} number`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_LINE: Final = re.compile(r"([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. A name that ends in `_total` is a counter, others are gauges."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`name{label="value"}`."""
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels.items())
        return f"{self.name}{{{labels}}}" if labels else self.name


def render(samples: Iterable[Sample]) -> str:
    """Samples as text; those of one name must stand together."""
    lines, last = [], ""
    for sample in samples:
        if sample.name != last:
            lines.append(f"# HELP {sample.name} {sample.help}")
            lines.append(f"# TYPE {sample.name} {'counter' if sample.name.endswith('_total') else 'gauge'}")
            last = sample.name
        lines.append(f"{sample.key} {sample.value:.17g}")
    return "\n".join(lines) + "\n"


def parse(text: str) -> dict[str, float]:
    """Numbers by `name{label="value"}`, in the order of the text; ValueError when it is not of this format."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = _LINE.fullmatch(line)
            if match is None:
                raise ValueError(f"not a metric: {line[:80]!r}")
            found[match[1]] = float(match[2])
    return found


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
