"""What the demo reads out of a daemon's answer."""

import json
from pathlib import Path

import trio

from demo.nodes import Node, ask, node_of

STATUS = {
    "services": [
        {"service": "other", "state": "IDLE", "running_release": "x@1"},
        {"service": "library", "state": "DOWNLOADING", "goal_release": "library@1", "goal_revision": 1},
    ],
    "downloads": [
        {
            "release": "library@1",
            "size_bytes": 100,
            "verified_bytes": 60,
            "resumed_bytes": 20,
            "bytes_by_source": {"region": 40, "shield": 5, "origin": 5, "local": 10},
            "received_twice_bytes": 3,
            "step": "fetch",
        }
    ],
}


def test_the_service_asked_for_is_found_among_several() -> None:
    assert node_of("a", "library", STATUS).state == "DOWNLOADING"


def test_bytes_are_told_apart_by_where_they_came_from() -> None:
    download = node_of("a", "library", STATUS).download("library@1")
    assert (download.from_peers, download.fetched) == (40, 50)


def test_what_came_twice_is_counted() -> None:
    assert node_of("a", "library", STATUS).download("library@1").duplicate == 3


def test_a_release_that_a_daemon_does_not_know_has_no_bytes() -> None:
    assert node_of("a", "library", STATUS).download("library@9").verified == 0


async def test_a_daemon_that_is_not_there_is_down(tmp_path: Path) -> None:
    assert await ask("a", "library", tmp_path / "control") == Node("a", state="DOWN")


async def test_a_daemon_is_asked_over_its_socket(tmp_path: Path) -> None:
    asked = []

    async def answer(stream: trio.SocketStream) -> None:
        asked.append(json.loads(await stream.receive_some()))
        await stream.send_all(json.dumps(STATUS).encode() + b"\n")

    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(str(tmp_path / "control"))
    listening.listen()
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, answer, [trio.SocketListener(listening)])
        assert (await ask("a", "library", tmp_path / "control")).state == "DOWNLOADING"
        nursery.cancel_scope.cancel()
    assert asked == [{"command": "status"}]
