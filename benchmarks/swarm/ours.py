"""Our own processes in a lab: tracker, seeder, daemons and an operator, over mutual TLS as a fleet has it."""

import json
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import trio

from demo import configs
from demo.authority import Authority
from demo.publisher import Publisher, Release, program
from p2pd import control

from .lab import Lab
from .scenarios import SEED, TRACKER

TRACKER_PORT: Final = 8470
PEER_PORT: Final = 8490
HTTP_PORT: Final = 8480
VERSION: Final = "1"
OPERATOR: Final = "operator"
TOKEN_USES: Final = 1_000
PAID_TIERS: Final = frozenset({"lan", "rack", "zone", "region", "remote", "shield", "origin"})
"""What a daemon counts stored bytes by; what is left, `local`, was copied on the host itself."""


class OurFleet:
    """Each process has the name of its host, but for the operator, and a seeder that is given another one.

    `profile`: how large chunks are, as `p2p-manifest publish` has it.
    """

    def __init__(self, lab: Lab, *, profile: str) -> None:
        self._lab, self._profile = lab, profile
        self._publisher = Publisher(lab.home("publisher"), lab.directory / "publisher.log")
        self._tracker = f"{lab.address(TRACKER)}:{TRACKER_PORT}"
        self._regions = {host.name: host.site or configs.REGION for host in lab.network.plan.hosts}
        self._authority = Authority(lab.home("ca"), lab.directory / "ca.log", self._publisher.environment)
        self._release = ""
        self._tokens: dict[tuple[str, str], Path] = {}

    def publish(self) -> None:
        """The lab's content as a release that both parties signed."""
        self._release = trio.run(self._publish).name

    async def _publish(self) -> Release:
        tree = self._lab.directory / "tree"
        (tree / "app").mkdir(parents=True)
        (tree / "app" / "main.py").write_text("")
        (tree / "content").hardlink_to(self._lab.content)
        await self._publisher.prepare()
        return await self._publisher.publish(VERSION, tree, self._profile)

    def start_tracker(self, **settings: object) -> None:
        """The global one, on its own host; ready when this returns."""
        trio.run(self._authority.prepare)
        config = configs.global_tracker(self._lab.home(TRACKER), self._authority.directory)
        config |= {"listen": f"0.0.0.0:{TRACKER_PORT}"} | settings
        self._serve(TRACKER, TRACKER, [program("p2p-tracker"), "serve"], config)
        self.wait([TRACKER])

    def start_seeder(self, name: str = SEED, host: str = SEED, *, swarms: bool = True) -> None:
        """On the blob store that was published to, which lies on its own disk: a cache there would be a second copy.
        Without `swarms`: plain HTTP only."""
        at = self._lab.address(host)
        store, token = self._publisher.store.as_uri(), self._token("seeder", self._regions[host])
        config = configs.seeder(self._lab.home(name), store, self._tracker, token) | {
            "http_listen": f"{at}:{HTTP_PORT}", "listen": f"{at}:{PEER_PORT}" if swarms else "",
            "region": self._regions[host], "cache_directory": "",
        }  # fmt: skip
        self._serve(name, host, [program("p2p-seeder"), "serve"], config)

    def start_daemon(self, host: str, service: str = configs.SERVICE, **settings: object) -> None:
        """On whatever is on its disk."""
        root, token = self._publisher.trust_root, self._token("host", self._regions[host])
        config = configs.daemon(self._lab.home(host), host, self._tracker, root, token) | {
            "listen": f"{self._lab.address(host)}:{PEER_PORT}", "region": self._regions[host],
            "services": {service: {"product": configs.PRODUCT}},
        } | settings  # fmt: skip
        self._serve(host, host, [program("p2pd"), "run"], config)

    def start_operator(self, nodes: int) -> None:
        """On the tracker's host; returns when so many nodes are with the tracker."""
        socket = self._lab.home(TRACKER) / "admin.sock"
        argv = [sys.executable, "-m", "benchmarks.swarm.operator", str(socket), str(nodes)]
        self._lab.processes.start(OPERATOR, TRACKER, argv)
        self.wait([OPERATOR])

    def wait(self, names: Iterable[str]) -> None:
        """Until these are ready."""
        for name in names:
            self._lab.processes.wait(name, lambda said: '"ready": true' in said)

    def deploy(self, service: str = configs.SERVICE) -> None:
        """The release, to everybody who runs the service."""
        self._lab.processes.all[OPERATOR].tell(f"{service} {self._release}")

    def finished(self, host: str, service: str = configs.SERVICE) -> bool:
        """The release appears under its name in one rename, when it is whole, verified and synced."""
        return any((self._lab.directory / host / "services" / service / "releases").glob(f"{VERSION}-*"))

    def _token(self, role: str, region: str) -> Path:
        """To join with: one for all of a role and region, made before the time runs."""
        if (role, region) not in self._tokens:
            make = partial(self._authority.token, role, region=region, uses=TOKEN_USES)
            self._tokens[role, region] = trio.run(make).rename(self._lab.directory / f"{role}-{region}.token")
        return self._tokens[role, region]

    def _serve(self, name: str, host: str, argv: list[str], config: Mapping[str, object]) -> None:
        file = self._lab.home(name) / "config.toml"
        file.write_text(configs.toml(config))
        self._lab.processes.start(name, host, [*argv, "--config", str(file)])

    def notes(self, hosts: Iterable[str]) -> dict[str, object]:
        """What these daemons say: bytes by source, and bytes that came in vain."""
        by_source: dict[str, int] = {}
        refetched = duplicate = 0
        for found in [found for host in hosts for found in trio.run(_downloads, self._lab.home(host) / "control")]:
            sources: dict[str, int] = found["bytes_by_source"]
            for tier, count in sources.items():
                by_source[tier] = by_source.get(tier, 0) + count
            paid = sum(count for tier, count in sources.items() if tier in PAID_TIERS)
            refetched += max(0, paid - found["size_bytes"])
            duplicate += found["duplicate_bytes"] + found.get("received_twice_bytes", 0)
        return {"bytes_by_source": by_source, "refetched_bytes": refetched, "duplicate_bytes": duplicate}


async def _downloads(socket: Path) -> list[dict[str, Any]]:
    try:
        answer = await control.ask(str(socket), {"command": "status"})
    except (OSError, control.ControlError, json.JSONDecodeError):
        return []
    found: list[dict[str, Any]] = answer.get("downloads", [])
    return found
