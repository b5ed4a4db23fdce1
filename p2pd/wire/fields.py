"""What all messages between a tracker and those who talk to it are made of."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

NAME_CHARS_MAX: Final = 128
TEXT_CHARS_MAX: Final = 512
"""A reason, an error, a URL: one line that a person reads."""
Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
ReleaseText = Annotated[str, Meta(max_length=2 * NAME_CHARS_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class TrackerMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all messages between a tracker and those who talk to it."""
