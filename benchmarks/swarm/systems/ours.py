"""Our own: a tracker, a seeder and daemons, as an operator would run them."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import trio

from benchmarks.swarm.scenarios import SEED, TRACKER
from demo import configs
from demo.publisher import Publisher, Release, program
from p2pd import control

from .system import Lab

TRACKER_PORT: Final = 8470
PEER_PORT: Final = 8490
HTTP_PORT: Final = 8480
VERSION: Final = "1"
OPERATOR: Final = "operator"
PAID_TIERS: Final = frozenset({"lan", "region", "remote", "shield", "origin"})


class P2pd:
    """See `System`."""

    tools: Mapping[str, str] = MappingProxyType({})

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._publisher = Publisher(lab.home("publisher"), lab.directory / "publisher.log")
        self._tracker = f"{lab.address(TRACKER)}:{TRACKER_PORT}"
        self._release = ""
        self._sites = {host.name: host.site or configs.REGION for host in lab.network.plan.hosts}

    def start(self) -> None:
        """Publish; then tracker, seeder and daemons; then an operator that waits with the deploy."""
        self._release = trio.run(self._publish).name
        state = self._lab.home(TRACKER)
        self._serve(
            TRACKER, "p2p-tracker", "serve", configs.global_tracker(state) | {"listen": f"0.0.0.0:{TRACKER_PORT}"}
        )
        self._wait([TRACKER])
        at = self._lab.address(SEED)
        store = self._publisher.store.as_uri()
        self._serve(SEED, "p2p-seeder", "serve", configs.seeder(self._lab.home(SEED), store, self._tracker) | {
            "listen": f"{at}:{PEER_PORT}", "http_listen": f"{at}:{HTTP_PORT}", "region": self._sites[SEED],
        })  # fmt: skip
        for peer in self._lab.peers:
            self.restart(peer)
        self._wait((SEED, *self._lab.peers))
        self._start_operator(1 + len(self._lab.peers))

    def _start_operator(self, nodes: int) -> None:
        """Ready when so many nodes are with the tracker."""
        argv = [sys.executable, "-m", "benchmarks.swarm.operator", f"127.0.0.1:{TRACKER_PORT}", str(nodes)]
        self._lab.processes.start(OPERATOR, TRACKER, argv)
        self._wait([OPERATOR])

    async def _publish(self) -> Release:
        tree = self._lab.directory / "tree"
        (tree / "app").mkdir(parents=True)
        (tree / "app" / "main.py").write_text("")
        (tree / "content").hardlink_to(self._lab.content)
        await self._publisher.prepare()
        return await self._publisher.publish(VERSION, tree)

    def _serve(self, host: str, command: str, verb: str, config: dict[str, object]) -> None:
        file = self._lab.home(host) / "config.toml"
        file.write_text(configs.toml(config))
        self._lab.processes.start(host, host, [program(command), verb, "--config", str(file)])

    def _wait(self, names: Iterable[str]) -> None:
        for name in names:
            self._lab.processes.wait(name, lambda said: '"ready": true' in said)

    def go(self) -> None:
        """The operator deploys."""
        self._deploy(configs.SERVICE)

    def _deploy(self, service: str) -> None:
        self._lab.processes.all[OPERATOR].tell(f"{service} {self._release}")

    def finished(self, peer: str) -> bool:
        """The release appears under its name in one rename, when it is whole and verified."""
        return any(self._releases(peer).glob(f"{VERSION}-*"))

    def _releases(self, peer: str) -> Path:
        return self._lab.directory / peer / "services" / configs.SERVICE / "releases"

    def restart(self, peer: str) -> None:
        """On whatever is on its disk."""
        config = configs.daemon(self._lab.home(peer), peer, self._tracker, self._publisher.trust_root)
        config |= {"listen": f"{self._lab.address(peer)}:{PEER_PORT}", "region": self._sites[peer]}
        self._serve(peer, "p2pd", "run", config)

    def notes(self) -> dict[str, object]:
        """What the daemons say: bytes by source, and bytes that came in vain."""
        by_source: dict[str, int] = {}
        refetched = duplicate = 0
        for peer in self._lab.peers:
            for found in trio.run(self._downloads, peer):
                sources: dict[str, int] = found["bytes_by_source"]
                for tier, count in sources.items():
                    by_source[tier] = by_source.get(tier, 0) + count
                paid = sum(count for tier, count in sources.items() if tier in PAID_TIERS)
                refetched += max(0, paid - found["size_bytes"])
                duplicate += found["duplicate_bytes"] + found.get("received_twice_bytes", 0)
        return {"bytes_by_source": by_source, "refetched_bytes": refetched, "duplicate_bytes": duplicate}

    async def _downloads(self, peer: str) -> list[dict[str, Any]]:
        try:
            answer = await control.ask(str(self._lab.home(peer) / "control"), {"command": "status"})
        except (OSError, control.ControlError, json.JSONDecodeError):
            return []
        found: list[dict[str, Any]] = answer.get("downloads", [])
        return found
