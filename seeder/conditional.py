"""What of an object a GET or HEAD is to be answered with: all, a part, nothing new, or a refusal. Pure.

RFC 9110, 13 (conditions) and 14 (ranges). One range at most: of several, or of one that we can't read, none is
honoured and the whole is sent, which every client must understand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(?:([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19}))[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Selection:
    """`status` 200, 206, 304 or 416, and the bytes from `start` up to, without, `stop`."""

    status: int
    start: int = 0
    stop: int = 0


def select(method: str, headers: Mapping[str, str], etag: str, length: int) -> Selection:
    """What to answer about an object of `length` bytes whose quoted strong ETag is `etag`."""
    if _matches(headers.get("if-none-match", ""), etag):
        return Selection(304)
    whole = Selection(200, 0, length)
    if method != "GET" or "range" not in headers:
        return whole
    if headers.get("if-range", etag) != etag:  # strong comparison; a date never matches, we give out none
        return whole
    return _part(headers["range"], length) or whole


def _matches(condition: str, etag: str) -> bool:
    """Weak comparison with each tag of a list, or with any by `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return etag in tags or tags == ["*"]


def _part(text: str, length: int) -> Selection | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, stop = max(0, length - int(suffix)), length
    else:
        start, stop = int(first), min(length, int(last) + 1) if last else length
        if last and int(last) < start:
            return None  # not a range at all
    return Selection(206, start, stop) if start < stop else Selection(416)
