"""What a daemon says of itself over its control socket: one JSON line asked, one answered."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import trio

ANSWER_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
PEER_TIERS: Final = frozenset({"lan", "rack", "zone", "region", "remote"})
"""What a daemon counts stored bytes by, as p2pd.policy.sources names it: other daemons."""
PAID_TIERS: Final = frozenset({"shield", "origin"})
"""The seeder on the peer wire, and plain HTTP. What is left, `local`, was copied on the host itself."""
UNDER_WAY: Final = frozenset({"reuse", "fetch", "finish"})
"""Steps of a download that has looked at what is on the disk."""


@dataclass(frozen=True)
class Download:
    """One release on one daemon, in bytes, all lives of the daemon together.

    `resumed`: found whole on disk when this life's download began; 0 when it has ended. `duplicate`: received, in this
    life, of pieces that another source brought first.
    """

    release: str
    size: int = 0
    verified: int = 0
    resumed: int = 0
    duplicate: int = 0
    rate_per_s: float = 0.0
    by_tier: dict[str, int] = field(default_factory=dict)
    waits_for: str = ""
    step: str = ""

    @property
    def under_way(self) -> bool:
        """It has looked at what is on the disk, and is not whole yet."""
        return self.step in UNDER_WAY

    @property
    def from_peers(self) -> int:
        """Fetched from other daemons."""
        return sum(count for tier, count in self.by_tier.items() if tier in PEER_TIERS)

    @property
    def fetched(self) -> int:
        """Fetched from anywhere but this machine's own disk."""
        return sum(count for tier, count in self.by_tier.items() if tier in PEER_TIERS | PAID_TIERS)


@dataclass(frozen=True)
class Node:
    """One daemon as the demo sees it. `state` is a lifecycle state, or DOWN."""

    name: str
    state: str = "DOWN"
    goal_release: str = ""
    goal_revision: int = 0
    running_release: str = ""
    waits_for: str = ""
    error: str = ""
    downloads: dict[str, Download] = field(default_factory=dict)

    def download(self, release: str) -> Download:
        """Its download of this release; an empty one when it knows none."""
        return self.downloads.get(release, Download(release))


async def ask(name: str, service: str, socket: Path) -> Node:
    """What the daemon says now; DOWN when nobody answers."""
    try:
        with trio.fail_after(ANSWER_S):
            async with await trio.open_unix_socket(str(socket)) as stream:
                await stream.send_all(b'{"command": "status"}\n')
                return node_of(name, service, json.loads(await _line(stream)))
    except (OSError, trio.TooSlowError, trio.BrokenResourceError, json.JSONDecodeError):
        return Node(name)


async def _line(stream: trio.SocketStream) -> bytes:
    answer = bytearray()
    async for part in stream:
        answer += part
        if answer.endswith(b"\n") or len(answer) > ANSWER_BYTES_MAX:
            break
    return bytes(answer)


def node_of(name: str, service: str, status: dict[str, Any]) -> Node:
    """Read an answer to `status`, as `p2pd status --json` prints it."""
    downloads = [_download(found) for found in status.get("downloads", [])]
    services: list[dict[str, Any]] = status.get("services", [])
    found = next((found for found in services if found["service"] == service), {})
    return Node(
        name=name,
        state=found.get("state", "IDLE"),
        goal_release=found.get("goal_release", ""),
        goal_revision=found.get("goal_revision", 0),
        running_release=found.get("running_release", ""),
        waits_for=found.get("waits_for", ""),
        error=found.get("error", ""),
        downloads={download.release: download for download in downloads},
    )


def _download(found: dict[str, Any]) -> Download:
    return Download(
        release=found["release"],
        size=found["size_bytes"],
        verified=found["verified_bytes"],
        resumed=found.get("resumed_bytes", 0),
        duplicate=found.get("duplicate_bytes", 0) + found.get("received_twice_bytes", 0),
        rate_per_s=found.get("rate_bytes_per_s", 0.0),
        by_tier=found.get("bytes_by_source", {}),
        waits_for=found.get("waits_for", ""),
        step=found.get("step", ""),
    )
