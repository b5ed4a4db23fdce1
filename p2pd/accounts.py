"""Accounts for every second of every download: it moved, or this is why it did not."""

from typing import Final

import trio

from p2pd.announcer import Announcer
from p2pd.background import Background
from p2pd.downloads import Download, Downloads
from p2pd.exchange import Exchange, Membership
from p2pd.origins import Origins
from p2pd.policy.sources import Tier
from p2pd.swarm import Ledger, Reason, Swarm

LOOK_S: Final = 1.0
"""A second in which a byte came is one in which it moved."""
_HTTP_WOULD_HELP: Final = frozenset({Reason.NO_PEER, Reason.UNHELD, Reason.SNUBBED})


class Accounts:
    """`total`: of all downloads since the daemon began."""

    def __init__(
        self, downloads: Downloads, exchange: Exchange, announcer: Announcer, origins: Origins, background: Background
    ) -> None:
        self._downloads, self._exchange = downloads, exchange
        self._announcer, self._origins, self._background = announcer, origins, background
        self._looked: dict[bytes, tuple[float, int]] = {}
        """When each was looked at last, and how many bytes had come for it."""
        self.total = Ledger()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._downloads.active:
                self._looked.clear()
                await self._downloads.begun.wait()
            await trio.sleep(LOOK_S)
            for download in self._downloads.active.values():
                self._note(download, trio.current_time())

    def _note(self, download: Download, now: float) -> None:
        at, before = self._looked.get(download.swarm, (download.started_at, 0))
        came = self._came_bytes(download)
        self._looked[download.swarm] = now, came
        reason = None if came != before else self._reason(download, now)
        for ledger in (download.ledger, self.total):
            ledger.note(now - at, reason)

    def _came_bytes(self, download: Download) -> int:
        """Whatever came for it: from others, or from what lay here."""
        artifact = download.artifact
        here = sum(artifact.bytes_by_source.values()) if artifact is not None else 0
        return here + sum(one.brain.arrived_bytes for one in self._memberships(download))

    def _memberships(self, download: Download) -> list[Membership]:
        """Its own, and before that its pack's."""
        swarms = (self._downloads.patching.pack_at_work(download.swarm), download.swarm)
        return [self._exchange.memberships[swarm] for swarm in swarms if swarm in self._exchange.memberships]

    def _reason(self, download: Download, now: float) -> Reason:
        if download.step == "manifest":
            return Reason.MANIFEST
        if download.step not in ("patch", "fetch"):  # verify, reuse, finish
            return Reason.DISK if download.waits_for else Reason.VERIFYING
        for membership in self._memberships(download):
            if membership.problem:
                return Reason.DISK
            patching = self._downloads.patching.standstill(download.swarm)
            reason = patching or membership.brain.standstill(now) or Reason.VERIFYING
            return self._refined(reason, membership.brain)
        return Reason.VERIFYING

    def _refined(self, reason: Reason, brain: Swarm) -> Reason:
        """By what the brain of one swarm can't know."""
        if reason is Reason.CAPPED and self._background.yields(Tier.REGION):
            return Reason.YIELDING
        if reason in _HTTP_WOULD_HELP and self._origins.any and not brain.origin_usable:
            return Reason.HTTP_RESTS
        if reason is Reason.NO_PEER and not self._announcer.connected:
            return Reason.TRACKER
        return reason
