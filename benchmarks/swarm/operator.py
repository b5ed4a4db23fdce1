"""An operator, a process on the tracker's host: waits until all nodes are there, says ready, deploys line by line.

python -m benchmarks.swarm.operator SOCKET NODES       then on standard input: SERVICE RELEASE
"""

import json
import sys

import trio

from p2pd.world.unix_network import UnixNetwork
from tracker.client import connect

LOOK_S = 0.05


async def main(tracker: str, nodes: int) -> None:
    """Prints one line of JSON when ready, and one with each goal that was set."""
    async with connect(UnixNetwork(), tracker, by="benchmark") as operator:
        while (await operator.status())["tracker"]["nodes"] < nodes:  # noqa: ASYNC110 - another process
            await trio.sleep(LOOK_S)
        print(json.dumps({"ready": True}), flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            service, release = line.split()
            print(json.dumps(await operator.deploy(service, release)), flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]))
