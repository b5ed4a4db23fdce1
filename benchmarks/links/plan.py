"""Which hosts there are, how fast their links are, and the commands that make it so. Pure.

    host --eth0 == port-- core switch                                     a host of no site
    host --eth0 == port-- site's switch and router --wan == site-- core    a host of a site, behind its shared link

Each switch is a bridge in a namespace of its own, each site a subnet of its own. Each end of a link shapes what it
sends: htb at the link's rate, in front of it a queue of QUEUE_S and no more, as a good home router has it. There is no
netem (many kernels lack it): delay is what the queues make, loss is dropped by nftables where it arrives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MBIT: Final = 1_000_000
QUEUE_S: Final = 0.05
SEGMENTS_BYTES_MAX: Final = 9_000
"""The kernel hands a link up to 64 KiB at once: more than a slow link's whole queue. Six packets fit any."""
QUEUE_BYTES_MIN: Final = 4 * SEGMENTS_BYTES_MAX
BURST_S: Final = 0.002
CORE: Final = "core"
SUBNET: Final = "10.77"
ROUTERS_AT: Final = 240
"""The core's addresses from here on are the sites' routers."""


@dataclass(frozen=True)
class Site:
    """A LAN behind one link of so many Mbit/s each way, with so long a queue in front of it."""

    name: str
    mbit: float
    queue_s: float = QUEUE_S


@dataclass(frozen=True)
class Host:
    """A machine. Rates in Mbit/s, 0: unshaped. `loss`: the share of what arrives here that is dropped."""

    name: str
    up_mbit: float = 0.0
    down_mbit: float = 0.0
    loss: float = 0.0
    site: str = ""


@dataclass(frozen=True)
class Plan:
    """A network. ValueError when it can't be built."""

    hosts: tuple[Host, ...]
    sites: tuple[Site, ...] = ()

    def __post_init__(self) -> None:
        names = [CORE, *(host.name for host in self.hosts), *(site.name for site in self.sites)]
        if len(set(names)) != len(names) or len(names) > ROUTERS_AT or len(self.sites) > 256 - ROUTERS_AT:
            raise ValueError(f"{len(names)} hosts and sites: too many, or two of one name")
        if unknown := {host.site for host in self.hosts} - {site.name for site in self.sites} - {""}:
            raise ValueError(f"hosts in sites that there are not: {', '.join(sorted(unknown))}")

    @property
    def switches(self) -> tuple[str, ...]:
        """Namespaces that hold a bridge: the core's and each site's."""
        return (CORE, *(site.name for site in self.sites))

    def address(self, name: str) -> str:
        """The host's own."""
        host = self.hosts[self._number(name)]
        return f"{SUBNET}.{self._subnet(host.site)}.{2 + self._number(name)}"

    def port(self, name: str) -> str:
        """The switch's end of a host's link."""
        return f"port{self._number(name)}"

    def _number(self, name: str) -> int:
        return [host.name for host in self.hosts].index(name)

    def _subnet(self, site: str) -> int:
        return self.switches.index(site or CORE)

    def _router(self, site: str) -> str:
        return f"{SUBNET}.0.{ROUTERS_AT + self._subnet(site) - 1}"

    def switch_links(self, switch: str, namespaces: dict[str, str]) -> Iterator[str]:
        """Lines for `ip -batch` in a switch, the core first. `namespaces`: that of each host and switch by its name."""
        yield "link set lo up"
        yield "link add bridge type bridge"
        yield "link set bridge up"
        if switch == CORE:
            for site in self.sites:
                yield f"link add {site.name} type veth peer name wan netns {namespaces[site.name]}"
                yield f"link set {site.name} gso_max_size {SEGMENTS_BYTES_MAX} master bridge up"
        else:
            yield f"addr add {SUBNET}.{self._subnet(switch)}.1/24 dev bridge"
            yield f"addr add {self._router(switch)}/24 dev wan"
            yield f"link set wan gso_max_size {SEGMENTS_BYTES_MAX} up"
            yield from self._routes(switch)
        for host in self.hosts:
            if (host.site or CORE) == switch:
                yield f"link add {self.port(host.name)} type veth peer name eth0 netns {namespaces[host.name]}"
                gso = f"gso_max_size {SEGMENTS_BYTES_MAX} " if host.down_mbit else ""
                yield f"link set {self.port(host.name)} {gso}master bridge up"

    def switch_shapes(self, switch: str) -> Iterator[str]:
        """Lines for `tc -batch` in a switch: what comes down to the hosts, and its ends of the sites' links."""
        for host in self.hosts:
            if (host.site or CORE) == switch:
                yield from shape(self.port(host.name), host.down_mbit)
        for site in self.sites:
            if switch in (CORE, site.name):
                yield from shape(site.name if switch == CORE else "wan", site.mbit, site.queue_s)

    def host_links(self, host: Host) -> Iterator[str]:
        """Lines for `ip -batch` in the host's namespace."""
        gso = f" gso_max_size {SEGMENTS_BYTES_MAX}" if host.up_mbit else ""
        yield "link set lo up"
        yield f"addr add {self.address(host.name)}/24 dev eth0"
        yield f"link set eth0{gso} up"
        if host.site:
            yield f"route add default via {SUBNET}.{self._subnet(host.site)}.1"
        else:
            yield from self._routes("")

    def _routes(self, own: str) -> Iterator[str]:
        for site in self.sites:
            if site.name != own:
                yield f"route add {SUBNET}.{self._subnet(site.name)}.0/24 via {self._router(site.name)}"

    def host_rules(self, host: Host) -> Iterator[str]:
        """Lines for `nft -f`."""
        if host.loss:
            yield "add table inet loss"
            yield "add chain inet loss arriving { type filter hook input priority 0; policy accept; }"
            per_mille = round(1000 * host.loss)
            yield f'add rule inet loss arriving iifname "eth0" numgen random mod 1000 < {per_mille} drop'


def shape(device: str, mbit: float, queue_s: float = QUEUE_S) -> Iterator[str]:
    """Lines for `tc -batch`: this device sends no faster than that, and drops what would wait longer than `queue_s`."""
    if not mbit:
        return
    bytes_per_s = mbit * MBIT / 8
    burst = max(2 * SEGMENTS_BYTES_MAX, round(bytes_per_s * BURST_S))
    queue = max(QUEUE_BYTES_MIN, round(bytes_per_s * queue_s))
    yield f"qdisc add dev {device} root handle 1: htb default 1"
    rate = f"rate {mbit:g}mbit ceil {mbit:g}mbit burst {burst} cburst {burst} quantum {SEGMENTS_BYTES_MAX}"
    yield f"class add dev {device} parent 1: classid 1:1 htb {rate}"
    yield f"qdisc add dev {device} parent 1:1 bfifo limit {queue}"


HEADER_BYTES: Final = 66
"""Ethernet 14, IPv4 20, TCP 32 with its timestamps."""


@dataclass(frozen=True)
class Counters:
    """Bytes over a link since it was made, IP and Ethernet headers included, as its user sees them."""

    sent: int = 0
    received: int = 0
    sent_packets: int = 0
    received_packets: int = 0

    @property
    def sent_payload(self) -> int:
        """Of what was sent, the bytes without the headers: those of a packet as TCP made it are counted once, however
        many it is cut into on the way."""
        return max(0, self.sent - HEADER_BYTES * self.sent_packets)

    @property
    def mirrored(self) -> "Counters":
        """As the other end sees it."""
        return Counters(self.received, self.sent, self.received_packets, self.sent_packets)

    def since(self, before: "Counters") -> "Counters":
        """What came after."""
        return Counters(
            self.sent - before.sent,
            self.received - before.received,
            self.sent_packets - before.sent_packets,
            self.received_packets - before.received_packets,
        )


def read_counters(text: str) -> dict[str, Counters]:
    """/proc/PID/net/dev: what each device sent and received."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        fields = numbers.split()
        found[name.strip()] = Counters(int(fields[8]), int(fields[0]), int(fields[9]), int(fields[1]))
    return found
