"""A home behind one narrow link, a daemon and a laptop in it; what each gets, alone and together."""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.links import BenchmarkError, Counters, Host, Site, network, processes
from benchmarks.links.plan import MBIT
from benchmarks.swarm.lab import Lab
from benchmarks.swarm.ours import OurFleet
from benchmarks.swarm.scenarios import SEED, Scenario
from demo.publisher import environment

from .rows import Rates, Row

HOME, DEVICE, LAPTOP, PEER, SERVER = "home", "device", "laptop", "peer", "server"
FLOW, FLOW_PORT, SINK = "flow", 9000, "sink"
SEEDER: Final = "seeder"
SETTLE_S: Final = 4.0
GIVE_UP_S: Final = 120.0
BEGUN_BYTES: Final = 2**20
NOTHING: Final = {"schedule": ["mon-sun 00:00-24:00 down=off"]}
LOOK_S: Final = 0.05
PROFILE: Final = "device"
CONTROLS: Final = ("cubic", "bbr", "reno")
SECOND: Final = "second"
NOWHERE: Final = "127.0.0.1:9"
"""Whoever is told of it by the tracker finds nobody there."""


@dataclass(frozen=True)
class Case:
    """`direction`: up or down the home's link of so many Mbit/s, with so long a queue. `background`: the daemon's
    setting. `late`: the foreground flow is there before the daemon begins. `http`: the seeder is in no swarm. `flow`:
    the foreground's congestion control. `two`: there is a second daemon in the home. `webrtc`: neither daemon can be
    dialled."""

    direction: str
    background: bool
    mbit: float
    queue_s: float
    measure_s: float
    late: bool = False
    http: bool = False
    flow: str = CONTROLS[0]
    two: bool = False
    webrtc: bool = False

    @property
    def scenario(self) -> Scenario:
        """Everybody but the home has links without limits."""
        up = self.direction == "up"
        guests = [SEEDER] * up + [SECOND] * self.two
        hosts = (Host(DEVICE, site=HOME), Host(LAPTOP, site=HOME), Host(PEER), Host(SERVER))
        return Scenario(
            f"background-{self.direction}", "", 0, (*hosts, *(Host(name, site=HOME) for name in guests)),
            (Site(HOME, self.mbit, self.queue_s),),
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Of a release that lasts."""
        return round((self.mbit * MBIT / 8) * (3 * self.measure_s + 4 * SETTLE_S))  # of two, either may get it all


def measure(case: Case, content: Path, *, first: bool) -> Row:
    """BenchmarkError when it can't be measured here."""
    with tempfile.TemporaryDirectory(prefix="p2pb") as directory, network(case.scenario.plan) as links:
        logs = Path(directory, "logs")
        logs.mkdir()
        with processes(links, logs, environment(), first=first) as started:
            return _Scene(case, Lab(case.scenario, links, started, Path(directory), content)).run()


class _Scene:
    def __init__(self, case: Case, lab: Lab) -> None:
        self._case, self._lab = case, lab
        self._fleet = OurFleet(lab, profile=PROFILE)
        up = case.direction == "up"
        self._giver, self._taker = (DEVICE, PEER) if up else (SEED, DEVICE)
        self._takers = [self._taker, SECOND] if case.two else [self._taker]
        self._source, self._sink = (LAPTOP, SERVER) if up else (SERVER, LAPTOP)

    def run(self) -> Row:
        """All of it."""
        self._prepare()
        self._begin_flow()
        foreground = self._rates()
        if self._case.late:
            self._begin_download()
            together = self._rates()
            self._end_flow()
            alone = after = self._rates()
        else:
            self._end_flow()
            self._begin_download()
            alone = self._rates()
            self._begin_flow()
            together = self._rates()
            self._end_flow()
            after = self._rates()
        if any(self._fleet.finished(one) for one in self._takers):
            raise BenchmarkError("the download was over before all was measured: take a larger release")
        case = self._case
        link = case.mbit * MBIT / 8
        return Row(
            case.direction, case.background, case.late, case.http, case.webrtc, case.flow, len(self._takers),
            case.mbit, case.queue_s, link,
            foreground.flow, together.flow, alone.ours, together.ours, after.ours,
        )  # fmt: skip

    def _prepare(self) -> None:
        """The giver has the release, the taker is not there yet."""
        fleet, lab = self._fleet, self._lab
        fleet.publish()
        fleet.start_tracker()
        up = self._case.direction == "up"
        seeder = SEEDER if up else SEED
        fleet.start_seeder(seeder, seeder, swarms=not self._case.http)
        fleet.wait([seeder])
        fleet.start_operator(1)
        fleet.deploy()
        if up:
            fleet.start_daemon(DEVICE)
        for taker in self._takers:
            fleet.start_daemon(taker, limits=NOTHING)  # it hears who vouches for the release, and may not fetch it
        if up:
            self._wait(lambda: fleet.finished(DEVICE), "the device has the release that it is to give away")
        fleet.wait(self._takers)
        time.sleep(SETTLE_S)
        for taker in self._takers:
            lab.processes.kill(taker)
        if up:
            for gone in (SEEDER, DEVICE):
                lab.processes.kill(gone)
            fleet.start_daemon(DEVICE, limits=self._limits, **self._undialled)
        flow = [sys.executable, "-m", "benchmarks.background.flow"]
        lab.processes.start(SINK, self._sink, [*flow, "sink", str(FLOW_PORT)])
        lab.processes.wait(SINK, lambda said: "ready" in said)

    @property
    def _undialled(self) -> dict[str, Any]:
        return {"listen": "127.0.0.1:0", "advertise": NOWHERE, "webrtc": True} if self._case.webrtc else {}

    @property
    def _limits(self) -> dict[str, bool]:
        return {"background": self._case.background}

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        ends_at = time.monotonic() + GIVE_UP_S
        while not condition():
            if time.monotonic() > ends_at:
                raise BenchmarkError(f"not within {GIVE_UP_S:.0f} s: {what}")
            time.sleep(LOOK_S)

    def _begin_download(self) -> None:
        for taker in self._takers:
            limits = self._limits if taker != PEER else {}
            self._fleet.start_daemon(taker, limits=limits, lan_discovery=self._case.two, **self._undialled)
        self._fleet.wait(self._takers)
        before = self._received(self._taker)
        self._wait(lambda: self._received(self._taker) > before + BEGUN_BYTES, "the download begins")

    def _received(self, host: str) -> int:
        return self._lab.network.counters()[host].received

    def _begin_flow(self) -> None:
        flow = [sys.executable, "-m", "benchmarks.background.flow"]
        where = (self._lab.address(self._sink), str(FLOW_PORT), self._case.flow)
        self._lab.processes.start(FLOW, self._source, [*flow, "source", *where])

    def _end_flow(self) -> None:
        self._lab.processes.kill(FLOW)

    def _rates(self) -> Rates:
        """Once it has settled."""
        time.sleep(SETTLE_S)
        before, began = self._lab.network.counters(), time.monotonic()
        time.sleep(self._case.measure_s)
        after, seconds = self._lab.network.counters(), time.monotonic() - began

        def per_s(host: str) -> float:
            gone: Counters = after[host].since(before[host])
            return gone.received / seconds

        return Rates(flow=per_s(self._sink), ours=sum(map(per_s, self._takers)))
