"""One connection to a tracker: what waits to be sent on it, and its sending.

An idle connection is one task that reads. Answers are sent by that task itself, so that whoever does not take them is
not read either; what others cause (a push, a farewell) is sent by a task that lives only as long as that takes.
"""

from dataclasses import dataclass, field
from math import inf

import trio

from p2pd.tracker_stream import ConnectionEndedError, TrackerStream

from .outbox import BATCH_BYTES, Outbox


@dataclass(slots=True)
class Connection:
    """`scope`: its life. `sending_since`: on trio's clock, infinite while the other end takes what it is sent."""

    number: int
    stream: TrackerStream
    scope: trio.CancelScope
    outbox: Outbox = field(default_factory=Outbox)
    sending_since: float = inf
    flushing: bool = False
    """Somebody sends, or is about to."""

    @property
    def wants_flush(self) -> bool:
        """Something waits, and nobody is about to send it."""
        return not self.flushing and bool(self.outbox.waiting_bytes)

    @property
    def owes_much(self) -> bool:
        """Enough waits to send it before hearing more."""
        return self.outbox.waiting_bytes >= BATCH_BYTES

    async def flush(self) -> None:
        """Send what waits, and what comes meanwhile. The connection ends when it broke, or after its last words.

        One at a time: look at `wants_flush` before.
        """
        self.flushing = True
        try:
            while frames := self.outbox.take():
                self.sending_since = trio.current_time()
                await self.stream.send_frames(frames)
                self.sending_since = inf
        except (ConnectionEndedError, trio.ClosedResourceError):
            self.scope.cancel()
        finally:
            self.flushing = False
        if self.outbox.ended:
            self.scope.cancel()
