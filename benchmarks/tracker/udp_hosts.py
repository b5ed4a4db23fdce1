"""As many announces as opentracker answers, over UDP (BEP 15): so many unanswered at any time.

    python -m benchmarks.tracker.udp_hosts ADDRESS PORT INFO_HASH_HEX HOSTS WAITING SECONDS

Prints one JSON object. The source addresses are of 127.0.0.0/8, a host each.
"""

import json
import select
import socket
import struct
import sys
import time
from typing import Final

from p2pd.policy.announcing import PEERS_WANTED

from .figures import percentile_ms
from .words import address_of

CONNECT: Final = struct.Struct(">QII")
CONNECT_ID: Final = 0x41727101980
ANNOUNCE: Final = struct.Struct(">QII20s20sQQQIIIiH")
SOCKETS: Final = 64
"""Each asks for many hosts; a tracker tells them apart by address and port."""
LOST_S: Final = 0.5


def main() -> None:
    """Measure and print."""
    host, port, info_hash, hosts, waiting, seconds = sys.argv[1:]
    tracker, swarm = (host, int(port)), bytes.fromhex(info_hash)
    poller, sockets = select.epoll(), dict[int, tuple[socket.socket, int]]()
    for number in range(SOCKETS):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address_of(number), 0))
        made.sendto(CONNECT.pack(CONNECT_ID, 0, number), tracker)
        made.settimeout(5.0)
        connection = struct.unpack_from(">Q", made.recv(64), 8)[0]
        made.setblocking(False)
        sockets[made.fileno()] = (made, connection)
        poller.register(made.fileno(), select.EPOLLIN)
    places = list(sockets.values())
    asked_at, late_s, lost, number = dict[int, float](), list[float](), 0, 0
    began = cleared = time.monotonic()
    while (now := time.monotonic()) < began + float(seconds):
        while len(asked_at) < int(waiting):
            number += 1
            made, connection = places[number % SOCKETS]
            which = number % int(hosts)
            peer = b"-BENCH-%013d" % which
            words = ANNOUNCE.pack(connection, 1, number, swarm, peer, 0, 1, 0, 0, 0, 0, PEERS_WANTED, 1 + which)
            asked_at[number] = time.monotonic()
            made.sendto(words, tracker)
        for fd, _ in poller.poll(0.05):
            answer = sockets[fd][0].recv(2048)
            at = asked_at.pop(struct.unpack_from(">I", answer, 4)[0], 0.0)
            if at:
                late_s.append(time.monotonic() - at)
        if now > cleared + LOST_S:
            cleared = now
            gone = [key for key, at in asked_at.items() if at < now - LOST_S]
            lost += len(gone)
            for key in gone:
                del asked_at[key]
    spent, late = time.monotonic() - began, sorted(late_s)
    print(json.dumps({"answers": len(late), "lost": lost, "seconds": spent, "own_cpu_s": time.process_time(),
                      "p50_ms": percentile_ms(late, 0.5), "p99_ms": percentile_ms(late, 0.99)}))  # fmt: skip


if __name__ == "__main__":
    main()
