"""Builds a planned network out of namespaces, and takes it away again."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from .errors import BenchmarkError
from .machine import LINK_TOOLS, check_tools
from .plan import CORE, Counters, Plan, read_counters, shape

PREFIX: Final = "p2pbench"
"""A namespace is called `p2pbench-<pid of its maker>-<host>`; those of a maker that is gone are swept."""
CONGESTION: Final = "cubic"
"""For all systems alike. Some machines' default (bbr) paces by its own estimate, which these queues mislead."""
_SETTINGS: Final = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv4.ip_forward=1",
    f"net.ipv4.tcp_congestion_control={CONGESTION}",
)
END_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
_ALLOWED: Final = "net.ipv4.tcp_allowed_congestion_control"


class Network:
    """The namespaces of a plan; made by `network`."""

    def __init__(self, plan: Plan, holders: dict[str, int]) -> None:
        self.plan = plan
        self._holders = holders

    def enter(self, host: str) -> list[str]:
        """What to put before a command line that should run on this host, and end with us."""
        return [*_enter(host), *END_WITH_US]

    def counters(self) -> dict[str, Counters]:
        """Of every host's link as the host sees it, and of each site's as the site does."""
        seen = {
            switch: read_counters(Path(f"/proc/{pid}/net/dev").read_text()) for switch, pid in self._holders.items()
        }
        ports = {host.name: seen[host.site or CORE][self.plan.port(host.name)] for host in self.plan.hosts}
        ports |= {site.name: seen[CORE][site.name] for site in self.plan.sites}
        return {name: port.mirrored for name, port in ports.items()}


@contextmanager
def network(plan: Plan) -> Iterator[Network]:
    """The network, for a while. BenchmarkError without root, or where the kernel lacks what it takes."""
    if os.geteuid():
        raise BenchmarkError("network namespaces need root: run it with sudo")
    rules = {"nft": "nftables"} if any(host.loss for host in plan.hosts) else {}
    check_tools(LINK_TOOLS | rules)
    _sweep()
    namespaces = {name: f"{PREFIX}-{os.getpid()}-{name}" for name in (*plan.switches, *_hosts(plan))}
    with _congestion_control_allowed(), ExitStack() as ends:
        for name, namespace in namespaces.items():
            _run("ip", "netns", "add", namespace)
            ends.callback(subprocess.run, ["ip", "netns", "del", namespace], check=False)
            _run(*_enter(name), "sysctl", "-qw", *_SETTINGS)
        _connect(plan, namespaces)
        yield Network(plan, {switch: ends.enter_context(_holder(switch)) for switch in plan.switches})


def _hosts(plan: Plan) -> list[str]:
    return [host.name for host in plan.hosts]


def _connect(plan: Plan, namespaces: dict[str, str]) -> None:
    for switch in plan.switches:
        _run("ip", "-n", namespaces[switch], "-batch", "-", lines=plan.switch_links(switch, namespaces))
        _run("tc", "-n", namespaces[switch], "-batch", "-", lines=plan.switch_shapes(switch))
    for host in plan.hosts:
        _run("ip", "-n", namespaces[host.name], "-batch", "-", lines=plan.host_links(host))
        _run("tc", "-n", namespaces[host.name], "-batch", "-", lines=shape("eth0", host.up_mbit))
        if rules := list(plan.host_rules(host)):
            _run(*_enter(host.name), "nft", "-f", "-", lines=rules)


@contextmanager
def _holder(switch: str) -> Iterator[int]:
    """The pid of a process in the namespace: /proc shows its devices there."""
    child = subprocess.Popen([*_enter(switch), *END_WITH_US, "sleep", "infinity"])
    try:
        while Path(f"/proc/{child.pid}/comm").read_text().strip() != "sleep":  # `ip` enters before it becomes that
            time.sleep(0.005)
        yield child.pid
    finally:
        child.kill()
        child.wait()


def _enter(name: str) -> list[str]:
    return ["ip", "netns", "exec", f"{PREFIX}-{os.getpid()}-{name}"]


def _run(*argv: str, lines: Iterable[str] = ()) -> None:
    words = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(argv, input=words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or f"exit code {done.returncode}"
        raise BenchmarkError(f"no network of namespaces on this machine: {' '.join(argv)}: {said}")


@contextmanager
def _congestion_control_allowed() -> Iterator[None]:
    """A namespace may only choose what the machine allows to anybody; put back at the end."""
    before = subprocess.run(["sysctl", "-n", _ALLOWED], capture_output=True, text=True, check=True).stdout.split()
    if CONGESTION in before:
        yield
        return
    _run("sysctl", "-qw", f"{_ALLOWED}={' '.join([*before, CONGESTION])}")
    try:
        yield
    finally:
        _run("sysctl", "-qw", f"{_ALLOWED}={' '.join(before)}")


def _sweep() -> None:
    """Namespaces that a killed run left."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        name = line.split()[0]
        prefix, _, rest = name.partition("-")
        maker = rest.partition("-")[0]
        if prefix == PREFIX and maker.isdigit() and not Path(f"/proc/{maker}").exists():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
