"""Being woken less often, as network cards are: what comes shortly after a look at the sockets waits for the next one,
and much is then done at once.

Each time that a process is woken its code and data must be fetched into the caches again, which costs more than what a
message gives it to do.
"""

import math
import time
from collections.abc import Callable
from typing import Final

import trio

FOR_S: Final = 1.0
"""So long it counts to be told; who is asleep, stuck or done need not take it back."""


class Coalescing(trio.abc.Instrument):
    """Call it, within trio, with how late events may be seen within the next second, in seconds; 0: at once.

    The loop then sleeps before it looks at sockets, timers and threads sooner than that after it last did. What comes
    when it has not been woken for so long is still seen at once.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._late_s = 0.0
        self._until = self._looked_at = -math.inf

    def __repr__(self) -> str:
        return f"<Coalescing for {1000 * self._late_s:.0f} ms>"

    def __call__(self, late_s: float) -> None:
        """From now on."""
        self._until = self._clock() + FOR_S
        if bool(late_s) != bool(self._late_s):
            change = trio.lowlevel.add_instrument if late_s else trio.lowlevel.remove_instrument
            change(self)
        self._late_s = late_s

    def before_io_wait(self, timeout: float) -> None:
        """Trio's: nobody has anything to do for so long, unless something comes."""
        now = self._clock()
        if now > self._until:
            self(0.0)
        elif (rest_s := min(timeout, self._looked_at + self._late_s - now)) > 0:
            self._sleep(rest_s)

    def after_io_wait(self, timeout: float) -> None:
        """Trio's: it has looked."""
        self._looked_at = self._clock()
