"""All hosts' network: who listens where, what is under way, and what stands in its way.

partition   sides that do not reach each other: bytes wait (as TCP sends again and again), dials time out
clog        nothing to or from some hosts passes for a while
flip        bytes of bulk change on the way to a host, as a transport without a seal would let pass
kill        a host's machine goes dark, or only its process dies; `boot` brings it back
"""

import errno
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from random import Random
from typing import Final

import trio

from p2pd.world.network import Buffer, Identity
from sim.clock import SimClock

from .connection import Connection, SimStream
from .flow import SMALL_BYTES
from .link import Link
from .place import Place, Route, route
from .port import Port, SimListener

QUANTUM_BYTES: Final = 16 * 1024
WINDOW_QUANTA: Final = 16
"""Sent and not yet read, where nothing else is said: deep enough to fill every way of the chaos fleets."""


@dataclass(frozen=True)
class Way:
    """What bulk goes through from one host to another; None stands where the latency is."""

    links: tuple[Link | None, ...]
    latency_s: float
    window_bytes: float
    """What one way of a connection holds that was sent and not yet read (where it is diluted: that has not arrived);
    above it the sender waits."""


class SimNetwork:
    """`port(name, place)` is what a host is given. `heard` is told of everything that is delivered.

    `quantum_bytes`: what a flow sends in one turn. Smaller is fairer and dearer; it should pass the slowest link in
    well under a second, or a shared link looks like one that stalls. `diluted_bytes`: where pieces and rates are
    diluted, the size of a piece, by `dilution`. What has no part of that size was not diluted, so it pays latency only.
    """

    def __init__(
        self,
        clock: SimClock,
        rng: Random,
        heard: Callable[[str, str, bytes], None],
        quantum_bytes: int = QUANTUM_BYTES,
        diluted_bytes: int = 0,
        dilution: float = 1.0,
    ) -> None:
        self.clock = clock
        self.diluted = bool(diluted_bytes)
        self._diluted_bytes, self._dilution = diluted_bytes, dilution
        self.quantum_bytes = quantum_bytes
        self.ports: dict[str, Port] = {}
        self.heard = heard
        self.corrupted = 0
        """Bytes that were flipped on the way."""
        self.cut = False
        """Whether anything stands between anybody."""
        self.flips: dict[str, float] = {}
        """The chance of it, by who receives."""
        self._rng = rng
        self._listeners: dict[str, SimListener] = {}
        self._connections: dict[Connection, None] = {}
        self._links: dict[tuple[Place, bool], Link] = {}
        self._ways: dict[tuple[Place, Place], Way] = {}
        self._numbers = count(40_000)
        self._side: dict[str, int] = {}
        self._clogged: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"<SimNetwork {len(self.ports)} ports, {len(self._connections)} connections>"

    def port(self, name: str, place: Place, *, region: str = "", role: str = "daemon") -> Port:
        """A host's card at this place. Its identity is proven to all others, as TLS would."""
        port = self.ports[name] = Port(self, name, place, Identity(name, region, role, proven=True))
        return port

    # -- what may go wrong --------------------------------------------------------------------------------------

    def partition(self, names: Iterable[str]) -> None:
        """Cut these off from all others; among themselves they still talk. Replaces the former partition."""
        self._side = dict.fromkeys(names, 1)
        self._release()

    def clog(self, names: Iterable[str]) -> None:
        """Nothing passes to or from these. Replaces the former clog."""
        self._clogged = dict.fromkeys(names)
        self._release()

    def flip(self, name: str, chance: float) -> None:
        """Change a byte of a quantum of bulk to this host with this chance."""
        self.flips[name] = chance

    def heal(self) -> None:
        """No partition, no clog, no flipped bytes. Hosts that are off stay off."""
        self._side, self._clogged, self.flips = {}, {}, {}
        self._release()

    def reset(self, name: str) -> None:
        """Break every connection of this host."""
        for connection in self.connections_of(name):
            connection.break_off()

    def kill(self, name: str, *, power: bool) -> None:
        """The machine is off, without a word to anybody; or its process is dead, and its kernel says so."""
        port = self.ports[name]
        port.up = False
        for address, listener in list(self._listeners.items()):
            if listener.port is port:
                del self._listeners[address]
        for connection in self.connections_of(name):
            connection.mute(port)
            if power:
                connection.silenced = True
            else:
                self.clock.at(self.clock.now + connection.latency_s, connection.break_off)

    def boot(self, name: str) -> None:
        """It is on again."""
        self.ports[name].up = True
        for connection in self.connections_of(name):
            connection.orphan()

    def blocked(self, one: str, other: str) -> bool:
        """Whether something stands between them."""
        if one in self._clogged or other in self._clogged:
            return True
        return self._side.get(one, 0) != self._side.get(other, 0)

    def connections_of(self, name: str) -> list[Connection]:
        """Those with an end there."""
        return [one for one in self._connections if any(port.name == name for port in one.ports)]

    def _release(self) -> None:
        self.cut = bool(self._side or self._clogged)
        for connection in list(self._connections):
            connection.release()

    # -- for ports ----------------------------------------------------------------------------------------------

    async def connect(self, port: Port, address: str) -> SimStream | None:
        """One try, a round trip long; None when there is no answer. ConnectionRefusedError."""
        other = self.ports.get(address.rpartition(":")[0])
        if other is None:
            raise OSError(errno.EHOSTUNREACH, f"no such host: {address}")
        latency_s = self.way(port, other).latency_s
        await trio.sleep(latency_s)
        if not port.up or not other.up or self.blocked(port.name, other.name):
            return None
        if not route(port.place, other.place).reachable:
            return None
        listener = self._listeners.get(address)
        if listener is None:
            await trio.sleep(latency_s)
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {address}")
        connection = Connection(self, port, other, address)
        self._connections[connection] = None
        listener.offer(connection.accepted)
        try:
            await trio.sleep(latency_s)
        except trio.Cancelled:
            connection.break_off()
            raise
        return connection.dialled

    def bind(self, port: Port, address: str) -> SimListener:
        """OSError when it is taken."""
        if address in self._listeners:
            raise OSError(errno.EADDRINUSE, f"{address} is taken")
        listener = self._listeners[address] = SimListener(self, port, address)
        return listener

    def unbind(self, listener: SimListener) -> None:
        """It listens no longer."""
        if self._listeners.get(listener.address) is listener:
            del self._listeners[listener.address]

    def free_address(self, port: Port) -> str:
        """An address of this host that nobody uses."""
        return f"{port.name}:{next(self._numbers)}"

    def way(self, source: Port, destination: Port) -> Way:
        """From one host's place to another's."""
        key = (source.place, destination.place)
        if key not in self._ways:
            found = route(*key)
            up = [self._link(place, place.up_bytes_per_s, upwards=True) for place in found.left]
            down = [self._link(place, place.down_bytes_per_s, upwards=False) for place in found.entered]
            links = [*filter(None, up), None, *filter(None, down)]
            self._ways[key] = Way(tuple(links), found.latency_s, self._window_bytes(found))
        return self._ways[key]

    def _window_bytes(self, found: Route) -> float:
        if not self.diluted:
            return WINDOW_QUANTA * self.quantum_bytes
        _, part_bytes = self.parts_of(self._diluted_bytes)
        return found.window_bytes(part_bytes, self._dilution)

    def _link(self, place: Place, bytes_per_s: float, *, upwards: bool) -> Link | None:
        if bytes_per_s == inf:
            return None
        return self._links.setdefault((place, upwards), Link(self.clock, bytes_per_s))

    def link(self, place: Place, *, upwards: bool) -> Link | None:
        """A place's link, if it has a bound and was used."""
        return self._links.get((place, upwards))

    def is_light(self, parts: Sequence[Buffer]) -> bool:
        """Whether a message of these parts pays latency only: it is small, or was not diluted."""
        if not self.diluted:
            return sum(map(len, parts)) <= SMALL_BYTES
        for part in parts:  # noqa: SIM110 - a generator costs more than what it looks at
            if len(part) == self._diluted_bytes:
                return False
        return True

    def parts_of(self, size: int) -> tuple[int, float]:
        """In how many parts a diluted piece of `size` bytes travels, and what each costs on links. All of them cost
        what the piece alone does: the head before it was not diluted."""
        parts = -(-size // self.quantum_bytes)
        return parts, self._diluted_bytes / parts

    # -- for connections ----------------------------------------------------------------------------------------

    def flipped(self, destination: str, data: bytes) -> bytes:
        """Something arrives there: with a byte of it changed, perhaps."""
        chance = self.flips.get(destination)
        if chance and len(data) > SMALL_BYTES and self._rng.random() < chance:
            at = self._rng.randrange(len(data))
            data = data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]
            self.corrupted += 1
        return data

    def forget(self, connection: Connection) -> None:
        """It is over."""
        self._connections.pop(connection, None)
