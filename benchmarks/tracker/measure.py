"""One tracker under load: start it, let the hosts come, ask, and watch what it costs."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.links import Busy, Processes, check_tools, load
from demo import configs
from demo.publisher import program

from . import certificates
from .rows import Row
from .words import FLEET

HOST: Final = "machine"
PORT: Final = 8470
NAME: Final = "tracker"
HOSTS: Final = "hosts"
RATE: Final = 2_000.0
"""What 10,000 hosts that download ask for at an interval of 5 s, and what a tracker grants by default."""
SECONDS: Final = 5.0
WAITING: Final = 256
AT_ONCE: Final = 64
SETTLE_S: Final = 1.0
PHASE_S_MAX: Final = 300.0
LEASE_S: Final = 600.0
"""Nobody is thrown out for his silence while others are measured."""
OPEN_UDP: Final = {"opentracker": "opentracker"}
SWARM_HEX: Final = "00" * 20


@dataclass
class Ours:
    """Our tracker, and the hosts."""

    processes: Processes
    directory: Path
    count: int
    certificates: Path | None = None
    said: int = field(default=0)

    def measure(self, run: int) -> Row:
        """All of it, on one tracker: hosts come, announce, ask for peers, and are thrown out and come back."""
        began, busy = time.monotonic(), Busy.now()
        self._start()
        rss = self._rss_bytes()
        come, cpu_s = self._phase(do="connect", at_once=AT_ONCE)
        time.sleep(SETTLE_S)
        row = Row("p2p-tracker", "tls" if self.certificates else "plain", run, self.count, connect_s=come["seconds"],
                  connect_cpu_ms=1000 * cpu_s / self.count,
                  idle_host_bytes=(self._rss_bytes() - rss) / self.count)  # fmt: skip
        idle, idle_cpu_s = self._phase(do="saturate", what="idle", waiting=WAITING, seconds=SECONDS)
        named, named_cpu_s = self._phase(do="saturate", what="newcomer", waiting=WAITING, seconds=SECONDS)
        late, _ = self._phase(do="announce", what="busy", rate=RATE, seconds=2 * SECONDS)
        storm, storm_cpu_s = self._phase(do="connect", at_once=self.count)
        self.processes.look_at_memory()
        used = sum(self.processes.cpu_s().values())
        return replace(
            row,
            announces_per_s=idle["answers"] / idle["seconds"],
            announces_per_core_s=idle["answers"] / idle_cpu_s,
            handouts_per_core_s=named["answers"] / named_cpu_s,
            rate=RATE,
            p50_ms=late["p50_ms"],
            p99_ms=late["p99_ms"],
            storm_s=storm["seconds"],
            storm_cpu_s=storm_cpu_s,
            storm_failures=storm["failures"],
            storm_peak_rss_bytes=self.processes.all[NAME].rss_bytes,
            generator_cores=late["own_cpu_s"] / (2 * SECONDS),
            load=load(),
            other_cores=(Busy.now().at_work_s - busy.at_work_s - used) / (time.monotonic() - began),
        )

    def _start(self) -> None:
        home = self.directory / NAME
        home.mkdir()
        config = configs.global_tracker(home) | {"fleet": FLEET, "listen": f"127.0.0.1:{PORT}", "lease_s": LEASE_S}
        if self.certificates:
            papers = str(self.certificates / f"{certificates.TRACKER}.pem")
            root = str(self.certificates / "root.pem")
            config |= {"insecure": False, "identity": {"certificate": papers, "key": papers, "root": root}}
        (home / "config.toml").write_text(configs.toml(config))
        argv = [program("p2p-tracker"), "serve", "--quiet", "--config", str(home / "config.toml")]
        self.processes.start(NAME, HOST, argv)
        self.processes.wait(NAME, lambda said: '"ready": true' in said)
        order = {"address": f"127.0.0.1:{PORT}", "hosts": self.count, "certificates": str(self.certificates or "")}
        argv = [sys.executable, "-m", "benchmarks.tracker.hosts", json.dumps(order)]
        self.processes.start(HOSTS, HOST, argv)

    def _phase(self, **order: Any) -> tuple[dict[str, float], float]:
        """What the hosts say of it, and the tracker's processor time."""
        before, process = self.processes.cpu_s()[NAME], self.processes.all[HOSTS]
        process.tell(json.dumps(order))
        self.said += 1
        said = self.processes.wait(HOSTS, lambda words: words.count("\n") >= self.said, "done", PHASE_S_MAX)
        figures: dict[str, float] = json.loads(said.splitlines()[-1])
        return figures, self.processes.cpu_s()[NAME] - before

    def _rss_bytes(self) -> int:
        lines = Path(f"/proc/{self.processes.all[NAME].child.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def measure_opentracker(processes: Processes, directory: Path, count: int, run: int) -> Row:
    """The reference in C: no connections, no identities, no goals; announces over UDP."""
    check_tools(OPEN_UDP)
    directory.chmod(0o755)  # it becomes `nobody`, with this as its root
    (directory / "known").write_text(SWARM_HEX + "\n")
    began, busy = time.monotonic(), Busy.now()
    argv = ["opentracker", "-i", "127.0.0.1", "-p", str(PORT), "-P", str(PORT), "-d", str(directory), "-w", "known"]
    processes.start(NAME, HOST, argv)
    time.sleep(SETTLE_S)
    asking = ["127.0.0.1", str(PORT), SWARM_HEX, str(count), "64", str(SECONDS)]
    said = processes.run(HOST, [sys.executable, "-m", "benchmarks.tracker.udp_hosts", *asking])
    figures: dict[str, float] = json.loads(said)
    cpu_s = processes.cpu_s()[NAME]
    version = subprocess.run(["opentracker", "-V"], capture_output=True, text=True, check=False).stdout
    spent = time.monotonic() - began
    return Row(
        "opentracker",
        "udp",
        run,
        count,
        announces_per_s=figures["answers"] / figures["seconds"],
        handouts_per_core_s=figures["answers"] / cpu_s,
        p50_ms=figures["p50_ms"],
        p99_ms=figures["p99_ms"],
        generator_cores=figures["own_cpu_s"] / figures["seconds"],
        load=load(),
        other_cores=(Busy.now().at_work_s - busy.at_work_s - cpu_s - figures["own_cpu_s"]) / spent,
        notes={"lost": figures["lost"], "version": version.strip()},
    )
