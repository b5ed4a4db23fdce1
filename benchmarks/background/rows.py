"""What came of a foreground flow beside a daemon, and what is claimed of it. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final

KEPT_MIN: Final = 0.9
"""Of its rate alone, by the foreground flow."""
USED_MIN: Final = 0.8
"""Of the link, by the daemon when nobody else is there."""
MB: Final = 1e6


@dataclass(frozen=True)
class Rates:
    """Bytes a second over the link, headers included: of the foreground flow, and of the daemon."""

    flow: float
    ours: float


@dataclass(frozen=True)
class Row:
    """One case. All rates in bytes a second. `after`: the daemon's, when the foreground flow has ended."""

    direction: str
    background: bool
    late: bool
    http: bool
    webrtc: bool
    flow: str
    daemons: int
    mbit: float
    queue_s: float
    link_per_s: float
    flow_alone_per_s: float
    flow_beside_per_s: float
    alone_per_s: float
    beside_per_s: float
    after_per_s: float

    @property
    def kept(self) -> float:
        """The share of its rate that the foreground flow keeps."""
        return self.flow_beside_per_s / self.flow_alone_per_s

    @property
    def used(self) -> float:
        """The share of the link that the daemon uses alone."""
        return self.alone_per_s / self.link_per_s

    @property
    def used_after(self) -> float:
        """The same, after the foreground flow has ended."""
        return self.after_per_s / self.link_per_s

    @property
    def missed(self) -> tuple[str, ...]:
        """Nothing is claimed of a daemon that is not in the background; of one that came late, and so does not know yet
        what the link carries, only what it leaves; and of two as well, who also give to each other beside the link."""
        if not self.background:
            return ()
        claimed = self._shares()[: 1 if self.late or self.daemons > 1 else None]
        least = {"kept": KEPT_MIN, "used": USED_MIN, "used_after": USED_MIN}
        return tuple(f"{name} {share:.2f} < {least[name]:g}" for name, share in claimed if share < least[name])

    def _shares(self) -> tuple[tuple[str, float], ...]:
        return ("kept", self.kept), ("used", self.used), ("used_after", self.used_after)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        figures = asdict(self) | dict(self._shares())
        rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}
        return rounded | {"missed": list(self.missed)}


def line_of(row: Row) -> str:
    """The figures in words."""
    name = ("background" if row.background else "normal") + (", late" if row.late else "")
    name += (", HTTP" if row.http else "") + (", WebRTC" if row.webrtc else "")
    name += f", {row.daemons} daemons" if row.daemons > 1 else ""
    alone, beside = row.flow_alone_per_s / MB, row.flow_beside_per_s / MB
    cells = [
        f"{row.direction:5}{name:17}",
        f"{row.mbit:g} Mbit/s, queue {1000 * row.queue_s:.0f} ms",
        f"{row.flow} {alone:.2f} MB/s alone, {beside:.2f} beside ({row.kept:.0%})",
        f"ours {row.used:.0%} of the link, {row.beside_per_s / row.link_per_s:.0%} beside, {row.used_after:.0%} after",
    ]
    return ", ".join([*cells, *(f"MISSED {claim}" for claim in row.missed)])
