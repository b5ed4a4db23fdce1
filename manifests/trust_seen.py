"""What a machine must not forget about time and roots between two looks: one small file beside the metadata cache.

A clock that was set back must not make expired metadata valid again. So the latest time that was seen is kept, and a
look never believes in an earlier one. What is kept is never later than the expiry of the newest timestamp (which the
online key signed): a clock that was years ahead for a moment does no lasting harm, as the next timestamp expires later.

Whoever holds both the clock and the mirror can still play metadata back that this machine has not seen, in order and
never backwards; nothing but a trusted source of time helps against that.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import RepositoryError

from .trust_files import replace_durably
from .tuf_api import Metadata, Timestamp

FILE: Final = "seen"
"""Not `.json`: such files are roles."""
ROOT_EVERY_S: Final = 6 * 3_600.0
"""While the timestamp stays the same nothing new can be accepted, so the next root is not asked for with each look.
After this time it is: a root that revokes keys, and that nobody promoted after, is seen this much later at most."""
WRITTEN_EVERY_S: Final = 600.0
"""A look an hour must not cost a write each; what has expired is written down at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """POSIX seconds. `latest_s`: the time is not before this. `root_asked_s`: when the next root was asked for last."""

    latest_s: float = 0.0
    root_asked_s: float = 0.0

    def now(self, utc: float) -> float:
        """What a look believes the time to be when the machine's clock says `utc`."""
        return max(utc, self.latest_s)

    def root_is_due(self, utc: float, every_s: float) -> bool:
        """Whether to ask for the next root although the timestamp is the same."""
        return abs(utc - self.root_asked_s) >= every_s

    def after(self, utc: float, *, not_after: float, asked_root: bool) -> "Seen":
        """What to remember after a look; `not_after`: when the newest timestamp expires."""
        latest_s = max(self.latest_s, min(utc, not_after))
        return Seen(latest_s, utc if asked_root else self.root_asked_s)


def read(cache: Path) -> Seen:
    """What was remembered; nothing if the file is missing or damaged."""
    try:
        found: Any = json.loads((cache / FILE).read_bytes())
        return Seen(float(found["latest_s"]), float(found["root_asked_s"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Seen()


def remember(cache: Path, before: Seen, after: Seen, *, at_once: bool) -> None:
    """Keep it durably, if it differs by enough."""
    moved = after.latest_s - before.latest_s
    if after.root_asked_s != before.root_asked_s or moved >= WRITTEN_EVERY_S or (at_once and moved > 0):
        replace_durably(cache / FILE, json.dumps(asdict(after)).encode())


def expiry(timestamp: bytes | None) -> float:
    """When this timestamp expires, in POSIX seconds; 0 if it is none."""
    try:
        signed = Metadata[Timestamp].from_bytes(timestamp or b"").signed
    except RepositoryError:
        return 0.0
    return signed.expires.timestamp()
