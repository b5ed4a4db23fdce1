"""One run: build the network, start a system, give the order, watch until all have finished, take everything away."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.links import Busy, Counters, check_tools, load, network, processes, touch_memory
from demo.publisher import environment

from .display import Progress
from .lab import Lab, System
from .rows import Outcome
from .scenarios import SEED, Scenario

POLL_S: Final = 0.02
LOOK_S: Final = 0.25
"""Links, memory and the progress line are looked at this often."""
STALLED_S: Final = 20.0
STALLED_SHARE: Final = 0.005
"""When all peers together took less than this of all that they want in STALLED_S, nothing will come any more."""
DOWN_S: Final = 1.0
"""From a peer's kill to its restart."""
ONE_COPY: Final = 1.01
"""What one copy takes on the seed's link, with frames, seals and what else is to be said; at least its size, and then
nothing more."""
RESTS_SHARE: Final = 0.001
"""Of the size: who sent less since the last look has nothing more to send."""


def measure(
    scenario: Scenario,
    make: Callable[[Lab], System],
    content: Path,
    progress: Progress,
    *,
    first: bool = False,
    poll_s: float = POLL_S,
    touched_bytes: int = 0,
) -> Outcome:
    """Run a system through a scenario; BenchmarkError when it can't be. `content`: the file to bring to all peers.
    `touched_bytes`: of memory, right before the order, so that no system finds it warmer than another."""
    with (
        tempfile.TemporaryDirectory(prefix="p2pb", dir=content.parent) as directory,
        network(scenario.plan) as links,
    ):
        logs = Path(directory, "logs")
        logs.mkdir()
        with processes(links, logs, environment(), first=first) as started:
            lab = Lab(scenario, links, started, Path(directory), content)
            made = make(lab)
            check_tools(made.tools)
            made.start()
            touch_memory(touched_bytes)
            return Run(lab, made, progress, poll_s).watch()


@dataclass
class Run:
    """A system at work."""

    lab: Lab
    system: System
    progress: Progress
    poll_s: float = POLL_S
    outcome: Outcome = field(default_factory=Outcome)
    began: float = 0.0
    links: dict[str, Counters] = field(default_factory=dict)
    size: int = 0
    moved: tuple[float, float] = (0.0, 0.0)
    seed_sent: int = 0
    down: dict[str, float] = field(default_factory=dict)
    """When each peer that was killed is to be started again."""

    def watch(self) -> Outcome:
        """Give the order and watch until all have finished, or nothing moves any more."""
        lab, seen = self.lab, self.outcome
        self.size = lab.content.stat().st_size
        lab.processes.forget_memory()
        before, cpu, busy = lab.network.counters(), lab.processes.cpu_s(), Busy.now()
        self.began = time.monotonic()
        self.system.go()
        next_look = 0.0
        while len(seen.finished_s) < len(lab.scenario.counted):
            now = time.monotonic() - self.began
            self._look_for_finished(now)
            if now >= next_look:
                next_look = now + LOOK_S
                self._look_at_links(before)
                self._act(now)
                if self._stalled(now):
                    break
            time.sleep(self.poll_s)
        elapsed = time.monotonic() - self.began
        self._look_at_links(before)
        seen.cpu_s_by = {name: used - cpu.get(name, 0.0) for name, used in lab.processes.cpu_s().items()}
        seen.other_cores = (Busy.now().at_work_s - busy.at_work_s - seen.cpu_s) / elapsed
        seen.load = load()
        seen.rss_bytes = {name: process.rss_bytes for name, process in lab.processes.all.items()}
        seen.notes |= self.system.notes()
        return seen

    def _look_for_finished(self, now: float) -> None:
        for peer in self.lab.scenario.counted:
            if peer not in self.outcome.finished_s and peer not in self.down and self.system.finished(peer):
                self.outcome.finished_s[peer] = now

    def _look_at_links(self, before: dict[str, Counters]) -> None:
        self.outcome.links = {
            name: counters.since(before[name]) for name, counters in self.lab.network.counters().items()
        }
        self.lab.processes.look_at_memory()

    def _act(self, now: float) -> None:
        """What the scenario does to them."""
        scenario, events = self.lab.scenario, self.outcome.events
        share = self._share()
        self.progress(now, share, len(self.outcome.finished_s))
        if scenario.killed and "peers_killed_s" not in events and share >= 0.5:
            events["peers_killed_s"] = now
            for peer in scenario.victims:
                self.lab.processes.kill(peer)
                self.down[peer] = now + DOWN_S
        for peer in [peer for peer, at in self.down.items() if at <= now]:
            del self.down[peer]
            self.system.restart(peer)
        if scenario.seed_dies and "seed_killed_s" not in events and self._one_copy_is_out():
            events |= {"seed_killed_s": now, "seed_sent_copies": self.seed_sent / self.size}
            self.lab.processes.kill(SEED)

    def _one_copy_is_out(self) -> bool:
        before, self.seed_sent = self.seed_sent, self.outcome.links[SEED].sent_payload
        rests = self.seed_sent - before < RESTS_SHARE * self.size
        return self.seed_sent >= (1.0 if rests else ONE_COPY) * self.size

    def _share(self) -> float:
        peers = self.lab.scenario.counted
        return sum(self.outcome.links[peer].received for peer in peers) / len(peers) / self.size

    def _stalled(self, now: float) -> bool:
        share = self._share()
        if share >= self.moved[1] + STALLED_SHARE:
            self.moved = (now, share)
        return now - self.moved[0] > STALLED_S
