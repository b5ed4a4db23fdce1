"""The commands of the control socket: what a person on this machine may ask of the daemon, and tell it."""

from collections.abc import Mapping
from typing import Any

import trio

from p2pd.config import remember_pause
from p2pd.content import describe
from p2pd.control import Answer, Command, ControlError
from p2pd.service import Daemon
from p2pd.status import downloads_status, patching_status


class Steering:
    """Answers for one daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def commands(self) -> Mapping[str, Command]:
        """By name."""
        return {
            "status": self._status,
            "list": self._list,
            "pause": self._pause,
            "resume": self._resume,
            "gc": self._gc,
        }

    async def _status(self, request: Mapping[str, Any]) -> Answer:
        daemon, now = self._daemon, trio.current_time()
        announcer = daemon.announcer
        return {
            "node": daemon.node,
            "region": daemon.config.region,
            "address": daemon.address,
            "uptime_s": now - daemon.started_at,
            "paused": daemon.downloads.paused,
            "tracker": {
                "connected": announcer.connected,
                "address": announcer.address,
                "last_error": announcer.last_error,
            },
            "sources": [
                {"name": fact.name, "url": fact.base_url, "resting_s": fact.resting_s, "outcomes": fact.outcomes}
                for fact in daemon.origins.present.snapshot()
            ],
            "sent_bytes": daemon.exchange.bytes_sent,
            "received_bytes": daemon.exchange.bytes_received,
            "connections": len(daemon.exchange.neighbours.sessions),
            "limits": daemon.citizenship.snapshot(),
            "disk": await daemon.updates.room.snapshot(),
            "background": daemon.background.snapshot(),
            "services": daemon.updates.status(),
            "patching": patching_status(daemon.downloads.patching),
            "downloads": downloads_status(daemon.downloads, daemon.store, daemon.exchange),
        }

    async def _list(self, request: Mapping[str, Any]) -> Answer:
        in_use = daemon_uses = self._daemon.updates.in_use()
        return {
            "releases": [
                {
                    "release": artifact.manifest.release,
                    "swarm": swarm.hex(),
                    "directory": artifact.destination,
                    "size_bytes": artifact.manifest.size,
                    "present_bytes": artifact.present_bytes,
                    "finished": artifact.finished,
                    "in_use": swarm in in_use,
                    "why": daemon_uses.get(swarm, ""),
                }
                for swarm, artifact in self._daemon.store.artifacts.items()
            ]
        }

    async def _pause(self, request: Mapping[str, Any]) -> Answer:
        return await self._set_paused(True)

    async def _resume(self, request: Mapping[str, Any]) -> Answer:
        return await self._set_paused(False)

    async def _set_paused(self, paused: bool) -> Answer:
        daemon = self._daemon
        daemon.downloads.pause(paused)
        try:
            await daemon.world.run_blocking(remember_pause, daemon.config, daemon.world.disk, paused)
        except OSError as error:
            raise ControlError(f"done, but a restart will not know of it: {describe(error)}") from error
        return {"paused": paused}

    async def _gc(self, request: Mapping[str, Any]) -> Answer:
        removed = await self._daemon.updates.collect_garbage(dry_run=bool(request.get("dry_run")))
        return {"removed": removed, "dry_run": bool(request.get("dry_run"))}
