"""A foreground flow: an ordinary TCP connection that always has something to send, as an upload or a film has.

python -m benchmarks.background.flow sink PORT          takes from whoever connects, for ever
python -m benchmarks.background.flow source HOST PORT CONTROL   sends there, for ever, by this congestion control
"""

import socket
import sys

BLOCK_BYTES = 64 * 1024


def sink(port: int) -> None:
    """One connection after the other."""
    buffer = bytearray(BLOCK_BYTES)
    with socket.create_server(("", port)) as listener:
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    while connection.recv_into(buffer):
                        pass
                except ConnectionError:
                    continue


def source(host: str, port: int, control: str) -> None:
    """Until killed."""
    block = bytes(BLOCK_BYTES)
    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        while True:
            connection.sendall(block)


if __name__ == "__main__":
    if sys.argv[1] == "sink":
        sink(int(sys.argv[2]))
    else:
        source(sys.argv[2], int(sys.argv[3]), sys.argv[4])
