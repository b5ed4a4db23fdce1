"""Hostile peers, one kind at a time, as fast as they can: `python -m benchmarks.hostile.enemies ORDER`, until a signal.

Those without papers come from everywhere in 127.0.0.0/8, where each address is an outsider of its own. Those with
papers are members of the fleet, whose certificate lets them in.
"""

import errno
import json
import os
import selectors
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from p2pd.identity.certificate import read_certificate
from p2pd.identity.keys import read_chain
from p2pd.wire.announce import Announce, Register, SwarmStatus
from p2pd.wire.codec import encode
from p2pd.wire.connection import PeerConnection
from p2pd.wire.messages import Cancel, Have, Hello, Join, Leave, ManifestRequest, Ping, Request, Want

CONNECTIONS: Final = 10_000
BATCH: Final = 64
"""Connections begun between two looks at those that are there."""
DRIP_S: Final = 0.5
MESSAGES: Final = 2_000
"""In one write."""
SWARMS_PER_ANNOUNCE: Final = 256


@dataclass(frozen=True)
class Order:
    """Whom to attack, how, and with whose papers. `swarm`, `pieces`: what is downloaded there."""

    kind: str
    address: str
    papers: tuple[str, ...]
    swarm: str = ""
    pieces: int = 0

    @property
    def place(self) -> tuple[str, int]:
        """To connect to."""
        host, _, port = self.address.rpartition(":")
        return host, int(port)


def sources() -> Iterator[str]:
    """Addresses of outsiders, all different for a long time."""
    for number in count(1):
        yield f"127.{1 + number // 62_500 % 250}.{1 + number // 250 % 250}.{1 + number % 250}"


class Crowd:
    """Thousands of connections of outsiders. `greeting`: what each says when it is there; `drip`: then byte by byte."""

    def __init__(self, order: Order, *, greeting: bytes = b"", drip: bool = False, leave: bool = False) -> None:
        self._place, self._greeting, self._drip, self._leave = order.place, greeting, drip, leave
        self._sources = sources()
        self._selector = selectors.DefaultSelector()
        self._said: dict[socket.socket, int] = {}
        self.begun = 0

    def run(self) -> None:
        """For ever: who was thrown out comes back at once."""
        drip_at = time.monotonic()
        while True:
            for _ in range(min(BATCH, CONNECTIONS - len(self._said))):
                self._begin()
            for key, _ in self._selector.select(0.01):
                assert isinstance(key.fileobj, socket.socket)
                self._turn(key.fileobj)
            if self._drip and time.monotonic() > drip_at:
                drip_at = time.monotonic() + DRIP_S
                for each in list(self._said):
                    self._say_one_byte(each)

    def _begin(self) -> None:
        made = socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves no port behind
        try:
            made.bind((next(self._sources), 0))
            problem = made.connect_ex(self._place)
        except OSError:
            problem = errno.EADDRNOTAVAIL
        if problem not in (0, errno.EINPROGRESS):
            made.close()
            return
        self.begun += 1
        self._said[made] = -1
        self._selector.register(made, selectors.EVENT_WRITE)

    def _turn(self, each: socket.socket) -> None:
        try:
            if self._said[each] < 0:  # it is there
                self._said[each] = 0
                if self._greeting and not self._drip:
                    each.send(self._greeting)
                self._selector.modify(each, selectors.EVENT_READ)
                if self._leave and not self._greeting:
                    self._end(each)
            elif not each.recv(65_536) or self._leave:
                self._end(each)
        except OSError:
            self._end(each)

    def _say_one_byte(self, each: socket.socket) -> None:
        at = self._said[each]
        if 0 <= at < len(self._greeting):
            try:
                self._said[each] += each.send(self._greeting[at : at + 1])
            except OSError:
                self._end(each)

    def _end(self, each: socket.socket) -> None:
        self._selector.unregister(each)
        del self._said[each]
        each.close()


class Member:
    """One hostile member of the fleet: shakes hands, says hello and then `words`, again and again."""

    def __init__(self, order: Order, papers: str) -> None:
        self.order = order
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.load_verify_locations(Path(papers, "root.pem"))
        self._context.load_cert_chain(Path(papers, "identity.pem"))
        self.identity = read_certificate(read_chain(Path(papers, "identity.pem").read_bytes())[0]).identity

    def connect(self) -> ssl.SSLSocket:
        """After the handshake."""
        return self._context.wrap_socket(socket.create_connection(self.order.place, timeout=10.0))

    def run(self, greeting: Callable[["Member"], bytes], words: Callable[["Member"], bytes], *, reads: bool) -> None:
        """For ever. `reads`: takes what comes, in a thread of its own; else it never looks."""
        while True:
            try:
                with self.connect() as stream:
                    stream.sendall(greeting(self))
                    if reads:
                        threading.Thread(target=_swallow, args=(stream,), daemon=True).start()
                    stream.settimeout(None)
                    while data := words(self):
                        stream.sendall(data)
                    time.sleep(3600)
            except OSError:
                time.sleep(0.05)


def _swallow(stream: ssl.SSLSocket) -> None:
    try:
        while stream.recv(262_144):
            pass
    except (OSError, ValueError):
        pass


def hello(member: Member) -> bytes:
    """A peer's first words."""
    who = member.identity
    return PeerConnection(Hello(1, who.fleet, who.node, who.region, "daemon", "")).hello()


def hello_and_join(member: Member) -> bytes:
    """Also in the swarm that the victim is in, with nothing."""
    swarm = bytes.fromhex(member.order.swarm)
    return hello(member) + encode(Join(1, swarm, member.order.pieces, b""))


def hello_and_half(member: Member) -> bytes:
    """And then half a message, for ever."""
    return hello(member) + struct.pack(">IB", 100_000, 0) + bytes(10)


def pings(member: Member) -> bytes:
    """Each of which is to be answered."""
    return _PINGS


def chatter(member: Member) -> bytes:
    """Everything that is small and allowed, about every piece."""
    pieces = member.order.pieces
    made = [encode(Have(1, tuple(range(at, min(at + 64, pieces))))) for at in range(0, pieces, 64)]
    made += [encode(Want(1, ())), encode(ManifestRequest(bytes.fromhex(member.order.swarm), 0))]
    swarms = (Random(number).randbytes(32) for number in range(40))
    made += [encode(Join(2, swarm, 1000, b"")) + encode(Leave(2)) for swarm in swarms]
    return b"".join(made) * 4


def greed(member: Member) -> bytes:
    """Every piece, and never mind, and again."""
    pieces = range(member.order.pieces)
    return b"".join(encode(Request(1, piece)) for piece in pieces) + b"".join(
        encode(Cancel(1, piece)) for piece in pieces
    )


def nothing(member: Member) -> bytes:
    """Silence after the greeting."""
    return b""


def register(member: Member) -> bytes:
    """A host's first words to a tracker."""
    who = member.identity
    return encode(Register(1, who.fleet, who.node, who.region, "daemon", "127.0.0.1:9"))


def swarms(member: Member) -> bytes:
    """256 swarms that nobody has heard of; a million after 4,000 times."""
    made = (SwarmStatus(os.urandom(32), 0, 1000, 64) for _ in range(SWARMS_PER_ANNOUNCE))
    return encode(Announce(tuple(made)))


def client_hello() -> bytes:
    """The first flight of a handshake, that anybody can record and send."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


_PINGS: Final = b"".join(encode(Ping(number)) for number in range(MESSAGES))
CROWDS: Final[dict[str, Callable[[Order], Crowd]]] = {
    "silent connections": Crowd,
    "dripping handshakes": lambda order: Crowd(order, greeting=client_hello(), drip=True),
    "coming and going": lambda order: Crowd(order, leave=True),
    "half handshakes": lambda order: Crowd(order, greeting=client_hello(), leave=True),
}
MEMBERS: Final[dict[str, tuple[Callable[[Member], bytes], Callable[[Member], bytes], bool]]] = {
    "pings": (hello, pings, True),
    "unread pings": (hello, pings, False),
    "small messages": (hello_and_join, chatter, True),
    "requests for everything": (hello_and_join, greed, False),
    "half a message": (hello_and_half, nothing, True),
    "a million swarms": (register, swarms, True),
}
TRACKERS: Final = ("a million swarms",)
"""Kinds that attack the tracker instead of the daemon."""


def main() -> None:
    """Until a signal."""
    given = json.loads(sys.argv[1])
    order = Order(given["kind"], given["address"], tuple(given["papers"]), given["swarm"], given["pieces"])
    if order.kind in CROWDS:
        CROWDS[order.kind](order).run()
    greeting, words, reads = MEMBERS[order.kind]
    threads = [
        threading.Thread(target=Member(order, papers).run, args=(greeting, words), kwargs={"reads": reads})
        for papers in order.papers
    ]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
