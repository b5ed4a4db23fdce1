"""Keeps the daemon a good guest: sees where the machine is, what was used, and tells the exchange what it may use."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from math import isinf
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import trio

from p2pd.config import Config
from p2pd.exchange.caps import Caps
from p2pd.policy.citizenship import Allowance, Here, Now, Rates, allowance
from p2pd.policy.usage import Usage
from p2pd.world import World

LOOK_S: Final = 1.0
"""How often rules that depend on time or use are applied: a budget may be overdrawn by what passes meanwhile."""
PROBE_S: Final = 60.0
KEEP_S: Final = 60.0
"""At most so much use is forgotten by a power cut."""
USAGE_BYTES_MAX: Final = 4_096
GOODBYE_S: Final = 2.0
PROBE_TIMEOUT_S: Final = 10.0


class ProbeAnswer(msgspec.Struct, frozen=True):
    """What a site's own probe prints."""

    metered: bool = False
    public: bool = False
    battery: bool = False


class Citizenship:
    """`allowed` is what holds now. `hold_back` is told why nobody outside the LAN may be asked, '' when they may."""

    def __init__(self, config: Config, world: World, caps: Caps, hold_back: Callable[[str], None]) -> None:
        self._config, self._world, self._caps, self._hold_back = config, world, caps, hold_back
        self._rules = config.limits.rules(config.upload_bytes_per_s, config.download_bytes_per_s)
        self._zone = ZoneInfo(config.limits.time_zone) if config.limits.time_zone else None
        self._path = os.path.join(config.state_directory, "usage.json")
        self._counted = (0, 0)
        self._kept: dict[str, object] = {}
        self.usage = Usage()
        self.here = Here()
        self.allowed = Allowance()
        self.problem = ""
        """Why the site's own probe is not believed ('' if it is)."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled; started when the rules hold for the first time."""
        await self._recall()
        probed_at = kept_at = trio.current_time()
        await self._look_around()
        self._apply()
        task_status.started()
        look_s = LOOK_S if self._rules.changing else PROBE_S
        try:
            while True:
                await trio.sleep(look_s)
                now = trio.current_time()
                if now - probed_at >= PROBE_S:
                    probed_at = now
                    await self._look_around()
                self._apply()
                if now - kept_at >= KEEP_S:
                    kept_at = now
                    await self._keep()
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + GOODBYE_S):
                self._apply()
                await self._keep()

    def snapshot(self) -> dict[str, Any]:
        """For `p2pd status`: where the machine is, what was used outside the LAN, and what may be used now (None: any
        number of bytes a second)."""
        usage, allowed = self.usage, self.allowed
        return {
            "metered": self.here.metered,
            "public": self.here.public,
            "battery": self.here.battery,
            "probe_problem": self.problem,
            "used": {
                "day": {"upload_bytes": usage.by_day.upload_bytes, "download_bytes": usage.by_day.download_bytes},
                "month": {"upload_bytes": usage.by_month.upload_bytes, "download_bytes": usage.by_month.download_bytes},
            },
            "upload_because": allowed.upload_because,
            "download_because": allowed.download_because,
            "wide": _rates(allowed.wide),
            "lan": _rates(allowed.lan),
        }

    def lan_discovery_allowed(self) -> bool:
        """Not on networks that are metered or public."""
        return self.allowed.lan_discovery

    def _apply(self) -> None:
        local = datetime.fromtimestamp(self._world.utc_now(), self._zone)
        up, down = self._caps.wide.sent_bytes, self._caps.wide.received_bytes
        self.usage.add(local.date().isoformat(), upload=up - self._counted[0], download=down - self._counted[1])
        self._counted = up, down
        minute = local.hour * 60 + local.minute
        now = Now(local.weekday(), minute, self.usage.by_day, self.usage.by_month)
        allowed = allowance(self._rules, self.here, now)
        if allowed != self.allowed:
            self.allowed = allowed
            self._caps.lan.use(allowed.lan)
            self._caps.wide.use(allowed.wide)
            self._hold_back("" if allowed.wide.download_per_s else allowed.download_because)

    async def _look_around(self) -> None:
        probe = self._config.limits.probe
        if not probe:
            self.here = await self._world.run_blocking(self._world.look)
            return
        try:
            done = await self._world.processes.run(probe, "/", {}, PROBE_TIMEOUT_S)
            answer = msgspec.json.decode(done.output, type=ProbeAnswer) if done.code == 0 else None
        except (OSError, msgspec.MsgspecError) as error:
            self.problem = f"the probe {probe[0]}: {error}"
            return
        if answer is None:
            self.problem = f"the probe {probe[0]} ended with {done.code}"
        else:
            self.here, self.problem = Here(answer.metered, answer.public, answer.battery), ""

    async def _recall(self) -> None:
        try:
            encoded = await self._world.run_blocking(self._world.disk.read_all, self._path, USAGE_BYTES_MAX)
            self.usage = Usage.from_document(json.loads(encoded))
        except (OSError, ValueError):
            self.usage = Usage()  # there is none yet, or it is damaged: counted anew

    async def _keep(self) -> None:
        """Write down what was used, if there is anything new."""
        document = self.usage.to_document()
        if document != self._kept:
            try:
                await self._world.run_blocking(self._world.disk.replace, self._path, json.dumps(document).encode())
            except OSError:
                return  # a full disk: tried again
            self._kept = document


def _rates(rates: Rates) -> dict[str, float | None]:
    return {
        "upload_bytes_per_s": None if isinf(rates.upload_per_s) else rates.upload_per_s,
        "download_bytes_per_s": None if isinf(rates.download_per_s) else rates.download_per_s,
    }
