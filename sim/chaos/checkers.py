"""Safety: what must never happen, whatever fails. Each rule names itself in the violation that it raises.

visible     what lies at a release's place is that release, to the byte: when it appears, when it is started, and
            after every crash
twice       what was written to a release's files as verified is not fetched and written again (until a power cut
            may have taken it)
allowed     `current` only ever points to a release that both parties signed, that is or was the goal here (or ran
            here before, when that one failed), and that is not older than the one before unless that was ordered
limits      connections, the upload cap, the disk's reserve
honest      nobody honest is banned for sending bytes that are not the piece
"""

from dataclasses import dataclass, field
from typing import Final

from p2pd.exchange.neighbours import CONNECTIONS_MAX
from p2pd.service import Daemon
from p2pd.world.processes import Exit
from sim.disk import SimDisk
from sim.errors import SimError
from sim.fleet.fleet import DATA, Fleet
from sim.fleet.member import Member
from sim.fleet.releases import PRODUCT, Release, ReleaseSpec
from sim.trace import Trace

from .story import SPECS, Story
from .written import STAGING, Written

RELEASES: Final = f"{DATA}/{PRODUCT}/releases"
CURRENT: Final = f"{DATA}/{PRODUCT}/current"
BURST_S: Final = 1.0
"""Of the upload cap that may be ahead at any time."""


class Violation(SimError):
    """A rule was broken. `rule` is its name."""

    def __init__(self, rule: str, node: str, at_s: float, what: str) -> None:
        super().__init__(f"{rule}: {node} at {at_s:.3f} s: {what}")
        self.rule = rule


@dataclass
class Ordered:
    """Goals that were said to be in force, by whomever."""

    releases: set[tuple[str, str]] = field(default_factory=set)
    """(scope, release)"""
    older: set[tuple[str, str]] = field(default_factory=set)
    first_at: dict[str, float] = field(default_factory=dict)

    def add(self, scope: str, release: str, *, older: bool, now: float) -> None:
        """One more."""
        self.releases.add((scope, release))
        self.first_at.setdefault(release, now)
        if older:
            self.older.add((scope, release))


@dataclass
class _Node:
    """What is known of one daemon."""

    written: Written
    shown: str = ""
    """The release that `current` points to."""
    proven: list[str] = field(default_factory=list)
    """Those that passed their check here, in order."""
    failed: set[str] = field(default_factory=set)


class Safety:
    """Watches every daemon of a fleet; raises Violation from within whatever it is that breaks a rule."""

    def __init__(self, fleet: Fleet, story: Story, ordered: Ordered, rotten: set[tuple[str, str]]) -> None:
        self._fleet, self._story, self._ordered, self._rotten = fleet, story, ordered, rotten
        self._trace: Trace = fleet.trace
        self._releases = {_folder(release): release for release in fleet.published.releases.values()}
        self._nodes = {
            name: _Node(Written(member.host.disk, self._releases.values())) for name, member in fleet.daemons.items()
        }
        self.checks = 0
        for name, member in fleet.daemons.items():
            self._attach(name, member)

    def newest(self, name: str) -> int:
        """The highest sequence of any release that passed its check there; 0 for none."""
        return max((SPECS[release].sequence for release in self._nodes[name].proven), default=0)

    def _attach(self, name: str, member: Member[Daemon]) -> None:
        disk, node = member.host.disk, self._nodes[name]

        def on_write(path: str, offset: int, length: int) -> None:
            if STAGING in path and (what := node.written.add(path, offset, length)):
                raise self._violation("twice", name, what)

        def on_show(path: str, source: str) -> None:
            if path == CURRENT:
                self._shown(name, node, disk, disk.read_link(source) or "")
            elif path.startswith(RELEASES):
                self._check_content(name, disk, source, path.rpartition("/")[2])

        def answer(argv: tuple[str, ...], environment: dict[str, str]) -> Exit:
            return self._started(name, node, disk, argv, environment)

        disk.on_write, disk.on_show = on_write, on_show
        disk.on_failure, disk.on_create = node.written.forget_failed, node.written.forget
        member.host.answer = answer
        member.on_boot = lambda power_lost: self._booted(name, node, disk, power_lost)

    # -- the rules ----------------------------------------------------------------------------------------------

    def _shown(self, name: str, node: _Node, disk: SimDisk, link: str) -> None:
        folder = link.rpartition("/")[2]
        release = self._releases.get(folder)
        if release is None:
            raise self._violation("allowed", name, f"`current` shall point to {link!r}, which is no release")
        self._check_content(name, disk, f"{RELEASES}/{folder}", folder)
        self._check_allowed(name, node, release.spec)
        self._trace.tell(f"{name} switches to {release.spec.name}")
        node.shown = release.spec.name

    def _check_allowed(self, name: str, node: _Node, spec: ReleaseSpec) -> None:
        if not spec.trusted:
            raise self._violation("allowed", name, f"{spec.name} is signed by {spec.signed_by} only")
        before = SPECS.get(node.shown)
        if before is not None and before.name in node.failed and spec.name in node.proven[-2:]:
            return  # goes back
        scopes = ("global", self._fleet.region_of[name])
        if not any((scope, spec.name) in self._ordered.releases for scope in scopes):
            raise self._violation("allowed", name, f"{spec.name} was never the goal here")
        newest = SPECS[node.proven[-1]].sequence if node.proven else 0
        ordered = any((scope, spec.name) in self._ordered.older for scope in scopes)
        if spec.sequence < newest and not ordered:
            raise self._violation("allowed", name, f"{spec.name} is older than {node.proven[-1]}; nobody ordered that")
        self._check_fresh(name, spec)

    def _check_fresh(self, name: str, spec: ReleaseSpec) -> None:
        """A release first ordered after the metadata expired can't have been looked up before it was renewed."""
        expired_at = self._fleet.published.life_s
        first_at, now = self._ordered.first_at.get(spec.name, 0.0), self._fleet.clock.now
        if expired_at < first_at and now < self._story.heal_s and not self._is_skewed(name):
            raise self._violation("allowed", name, f"{spec.name}: its metadata expired at {expired_at:.1f} s")

    def _is_skewed(self, name: str) -> bool:
        return any(fault.kind == "skew" and name in fault.targets for fault in self._story.faults)

    def _started(
        self, name: str, node: _Node, disk: SimDisk, argv: tuple[str, ...], environment: dict[str, str]
    ) -> Exit:
        release = self._fleet.published.releases.get(environment["P2P_RELEASE"])
        if release is None:
            return Exit(0, "")
        spec, folder = release.spec, _folder(release)
        if disk.read_link(CURRENT) != f"releases/{folder}":
            raise self._violation("allowed", name, f"{argv[0]} of {spec.name} is run, but it is not the current one")
        self._check_content(name, disk, f"{RELEASES}/{folder}", folder)
        if argv[0] == "restart":
            return Exit(0, "")
        if not spec.healthy:
            node.failed.add(spec.name)
            return Exit(1, "simulated: unhealthy")
        node.proven.append(spec.name)
        return Exit(0, "")

    def _booted(self, name: str, node: _Node, disk: SimDisk, power_lost: bool) -> None:
        if power_lost:
            node.written.forget_all()
        for folder in disk.list_directory(RELEASES):
            if folder in self._releases:
                self._check_content(name, disk, f"{RELEASES}/{folder}", folder)

    def _check_content(self, name: str, disk: SimDisk, root: str, folder: str) -> None:
        """Every byte of it is there and right."""
        release = self._releases.get(folder)
        if release is None:
            if folder.startswith("."):
                return
            raise self._violation("visible", name, f"{folder} is no release")
        self.checks += 1
        at, content = 0, release.content
        for entry in release.manifest.entries:
            if entry.kind != "file":
                continue
            path = f"{root}/{entry.path}"
            right = content[at : at + entry.size]
            at += entry.size
            if disk.peek(path) != right and (name, f"{RELEASES}/{folder}/{entry.path}") not in self._rotten:
                raise self._violation("visible", name, f"{path} is not as signed")

    # -- now and then -------------------------------------------------------------------------------------------

    def look(self) -> None:
        """What can only be seen from time to time."""
        for name, member in self._fleet.daemons.items():
            if member.running is not None:
                self._look_at(name, member.running)

    def _look_at(self, name: str, daemon: Daemon) -> None:
        exchange, plan = daemon.exchange, self._fleet.plan
        if len(exchange.neighbours.sessions) > CONNECTIONS_MAX:
            raise self._violation("limits", name, f"{len(exchange.neighbours.sessions)} connections")
        if plan.upload_bytes_per_s:
            seconds = self._fleet.clock.now - daemon.started_at + BURST_S
            if exchange.bytes_sent > plan.upload_bytes_per_s * seconds + plan.piece_bytes:
                raise self._violation("limits", name, f"{exchange.bytes_sent} bytes sent in {seconds:.1f} s")
        if not self._fleet.network.corrupted:
            for banned, (_, reason) in exchange.neighbours.banned.items():
                if not banned.startswith("liar"):
                    raise self._violation("honest", banned, f"{name} banned it: {reason}")

    def _violation(self, rule: str, node: str, what: str) -> Violation:
        self._trace.tell(f"violation {rule} {node} {what}")
        return Violation(rule, node, self._fleet.clock.now, what)


def _folder(release: Release) -> str:
    return f"{release.spec.version}-{release.swarm.hex()[:8]}"
