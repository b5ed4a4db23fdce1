"""Ten thousand hosts in one process: raw sockets on one epoll, messages encoded beforehand, answers recognised unread.

With certificates they speak what daemons do, sealed frames under keys that go over mutual TLS.

    python -m benchmarks.tracker.hosts '{"address": "127.0.0.1:8470", "hosts": 10000, "certificates": ""}'

Then a JSON object a line on standard input, and one with figures for each on standard output:

    {"do": "connect", "at_once": 64}                               all hosts come (those that are here break off before)
    {"do": "announce", "what": "busy", "rate": 2000, "seconds": 10}  at this rate, whatever the answers do: how late?
    {"do": "saturate", "what": "idle", "waiting": 256, "seconds": 5} so many unanswered at any time: how many a second?

`certificates`: a directory with root.pem and 0.pem and so on for each host; empty: no TLS.
"""

import json
import random
import select
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

from p2pd.policy.backoff import Backoff
from p2pd.tracker_link import ANSWER_TIMEOUT_S, DIAL_TIMEOUT_S
from p2pd.world import sealed

from .figures import percentile_ms
from .sealed_line import SealedLine
from .words import ANSWERED, Words, address_of, words_of

SHAKE_S: Final = DIAL_TIMEOUT_S
"""Then a connection that has not shaken hands is given up, as daemons do."""
TURN_S: Final = 0.02
LOST_S: Final = 10.0
"""An answer that is not there by then never comes."""
RECEIVE_BYTES: Final = 64 * 1024
WAITS_FOR_WORDS: Final = (ssl.SSLWantReadError, BlockingIOError)


class Host:
    """One of them. `asked_at`: since when it waits for an answer, 0 if it does not."""

    def __init__(self, number: int, words: Words) -> None:
        self.number, self.words = number, words
        self.socket = socket.socket()
        self.socket.close()
        self.line: socket.socket | SealedLine = self.socket
        self.fd = -1
        self.asked_at = self.began_at = 0.0
        self.ready = self.shaking = False
        self.tail = b""
        self.backoff = Backoff(random.Random(number))
        self.context: ssl.SSLContext | None = None

    @property
    def patience_ends(self) -> float:
        """When a daemon would give this connection up."""
        return self.began_at + (SHAKE_S if self.shaking else ANSWER_TIMEOUT_S)


class Hosts:
    """All of them, and the loop that serves them. `context`: of a host's TLS; None: without."""

    def __init__(self, address: str, count: int, context: Callable[[int], ssl.SSLContext] | None) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._context = context
        self._epoll = select.epoll()
        self._all = [Host(number, words_of(number)) for number in range(count)]
        self._open: dict[int, Host] = {}
        self._ready = self._failures = self._answers = 0
        self._late_s: list[float] = []
        self._coming: deque[Host] = deque()
        self._resting: list[tuple[float, int]] = []

    # -- what is asked of them ----------------------------------------------------------------------------------

    def connect(self, at_once: int) -> dict[str, float]:
        """All break off and come back, so many at a time, until each was answered. `failures`: attempts in vain."""
        for host in list(self._open.values()):
            self._close(host)
        self._coming, self._failures = deque(self._all), 0
        for host in self._all:
            host.backoff.succeeded()
        began = time.monotonic()
        while self._ready < len(self._all):
            now = time.monotonic()
            while self._resting and self._resting[0][0] <= now:
                self._coming.append(self._all[heappop(self._resting)[1]])
            while self._coming and len(self._open) - self._ready < at_once:
                self._begin(self._coming.popleft(), now)
            self._turn(TURN_S)
            for host in [host for host in self._open.values() if not host.ready and host.patience_ends < now]:
                self._fail(host)
        return {"seconds": time.monotonic() - began, "failures": self._failures}

    def announce(self, rate: float, seconds: float, what: str) -> dict[str, float]:
        """Each in turn, at its time: an answer is late since the moment it should have been asked for."""
        self._begin_count()
        began, asked = time.monotonic(), 0
        while (now := time.monotonic()) < began + seconds:
            while asked < (now - began) * rate:
                self._ask(self._all[asked % len(self._all)], began + asked / rate, what)
                asked += 1
            self._turn(max(0.0, began + asked / rate - time.monotonic()))
        self._wait_for_answers()
        return {"asked": asked, **self._counted()}

    def saturate(self, waiting: int, seconds: float, what: str) -> dict[str, float]:
        """As fast as they are answered."""
        waiting = min(waiting, len(self._all) // 2)
        self._begin_count()
        began, asked = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            while asked - self._answers - self._failures < waiting:
                self._ask(self._all[asked % len(self._all)], time.monotonic(), what)
                asked += 1
            self._turn(TURN_S)
        self._wait_for_answers()
        return {"asked": asked, "seconds": time.monotonic() - began, **self._counted()}

    def _begin_count(self) -> None:
        self._answers, self._failures, self._late_s = 0, 0, []

    def _wait_for_answers(self) -> None:
        deadline = time.monotonic() + LOST_S
        while any(host.asked_at for host in self._all) and time.monotonic() < deadline:
            self._turn(TURN_S)

    def _counted(self) -> dict[str, float]:
        late = sorted(self._late_s)
        return {
            "answers": self._answers,
            "failures": self._failures,
            "p50_ms": percentile_ms(late, 0.5),
            "p99_ms": percentile_ms(late, 0.99),
        }

    # -- one host -----------------------------------------------------------------------------------------------

    def _begin(self, host: Host, now: float) -> None:
        host.socket = socket.socket()
        host.socket.setblocking(False)
        host.socket.bind((address_of(host.number), 0))
        host.socket.connect_ex(self._address)
        host.began_at, host.shaking, host.tail = now, True, b""
        host.fd = host.socket.fileno()
        self._open[host.fd] = host
        self._epoll.register(host.fd, select.EPOLLOUT)

    def _close(self, host: Host) -> None:
        self._epoll.unregister(host.fd)
        del self._open[host.fd]
        host.socket.close()
        self._ready -= host.ready
        host.ready, host.asked_at = False, 0.0

    def _fail(self, host: Host) -> None:
        self._close(host)
        self._failures += 1
        heappush(self._resting, (time.monotonic() + host.backoff.failed(), host.number))

    def _ask(self, host: Host, at: float, what: str) -> None:
        if not host.ready or host.asked_at:
            self._failures += 1  # nobody waits for this one
            return
        host.asked_at = at
        host.line.send(getattr(host.words, what))

    def _turn(self, timeout_s: float) -> None:
        """Serve whoever has something."""
        for fd, _ in self._epoll.poll(timeout_s):
            host = self._open[fd]
            try:
                if host.shaking:
                    self._shake(host)
                else:
                    self._hear(host)
            except WAITS_FOR_WORDS:
                self._epoll.modify(fd, select.EPOLLIN)
            except ssl.SSLWantWriteError:
                self._epoll.modify(fd, select.EPOLLOUT)
            except OSError:
                self._fail(host)

    def _shake(self, host: Host) -> None:
        if self._context is not None:
            if not isinstance(host.socket, ssl.SSLSocket):
                host.context = host.context or self._context(host.number)
                host.socket = host.context.wrap_socket(host.socket, do_handshake_on_connect=False)
            host.socket.do_handshake()
            host.line = SealedLine(host.socket)
        else:
            host.line = host.socket
        host.line.send(host.words.first)
        host.shaking = False
        self._epoll.modify(host.fd, select.EPOLLIN)

    def _hear(self, host: Host) -> None:
        data = host.line.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError
        if ANSWERED in host.tail + data:
            host.tail = b""
            if host.asked_at:
                self._late_s.append(time.monotonic() - host.asked_at)
                self._answers += 1
                host.asked_at = 0.0
            elif not host.ready:
                host.ready = True
                self._ready += 1
        else:
            host.tail = data[1 - len(ANSWERED) :]


def tls_context(certificates: Path, number: int) -> ssl.SSLContext:
    """Of one host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.set_alpn_protocols([sealed.PROTOCOL])
    context.load_verify_locations(certificates / "root.pem")
    context.load_cert_chain(certificates / f"{number}.pem")
    return context


def main() -> None:
    """Until standard input ends."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    certificates = Path(order["certificates"])
    context = (lambda number: tls_context(certificates, number)) if order["certificates"] else None
    hosts = Hosts(order["address"], order["hosts"], context)
    commands: dict[str, Callable[..., dict[str, float]]] = {
        "connect": hosts.connect, "announce": hosts.announce, "saturate": hosts.saturate,
    }  # fmt: skip
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        cpu_s = time.process_time()
        answer = commands[asked.pop("do")](**asked)
        print(json.dumps(answer | {"own_cpu_s": time.process_time() - cpu_s}), flush=True)


if __name__ == "__main__":
    main()
