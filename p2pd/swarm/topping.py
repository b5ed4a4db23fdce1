"""What HTTP may be asked for to keep a pace, while peers bring the rest: see `policy/deadline.py`."""

from math import inf

from p2pd.policy.deadline import AHEAD, BEHIND_S, SAVED_S, aim_at, needed_per_s, patience_s
from p2pd.policy.pacing import Rate


class TopUp:
    """Of one download. `why`: for what HTTP helps now; '' while it does not. `finish_by`: on the clock of `now`."""

    def __init__(self, now: float) -> None:
        self.finish_by = inf
        self.floor_per_s = 0.0
        self._aim_at = inf
        self.why = ""
        self.peers = Rate()
        """What comes from peers."""
        self._steady_since = now
        """Since when it is as `why` says, or would rather be otherwise."""
        self._may_bytes = 0.0
        self._looked_at = now

    def __repr__(self) -> str:
        return f"<TopUp {self.why or 'rests'}>"

    def aim(self, *, finish_by: float, floor_per_s: float, now: float) -> None:
        """When to be done, and the rate below which to help."""
        if finish_by != self.finish_by:
            self.finish_by, self._aim_at = finish_by, aim_at(finish_by, now)
        self.floor_per_s = floor_per_s

    def begin_anew(self, now: float) -> None:
        """Nothing was asked for until now, so that nobody was slow."""
        self.why, self._steady_since, self._looked_at, self._may_bytes = "", now, now, 0.0

    def left_s(self, now: float) -> float:
        """Until it should be done; 0 when that has passed."""
        return max(0.0, self._aim_at - now)

    def look(self, missing_bytes: int, now: float) -> None:
        """See again whether help is needed, and how much."""
        left_s = self.left_s(now)
        needed, peers = needed_per_s(missing_bytes, left_s, self.floor_per_s), self.peers.per_s(now)
        if self.why:
            if peers < AHEAD * needed:
                self._steady_since = now
            elif now - self._steady_since >= BEHIND_S or not missing_bytes:
                self.why, self._steady_since = "", now
        elif peers >= needed:
            self._steady_since = now
        elif now - self._steady_since >= patience_s(left_s):
            self.why = "deadline" if needed > self.floor_per_s else "floor"
            self._steady_since = now
        lacking = max(0.0, needed - peers) if self.why else 0.0
        earned = lacking * (now - self._looked_at) if now > self._looked_at else 0.0
        self._may_bytes = inf if lacking == inf else min(self._may_bytes + earned, lacking * SAVED_S)
        self._looked_at = now

    @property
    def may_ask(self) -> bool:
        """Whether one more piece may be asked for by HTTP now."""
        return bool(self.why) and self._may_bytes > 0

    def asked(self, length: int) -> None:
        """One was, of so many bytes."""
        self._may_bytes -= length
