"""The daemon's facts for Prometheus, and the door they are asked through (`metrics_listen`, off by default)."""

from collections.abc import Iterator

import trio

from p2pd.httpmessages import Request, Response, text_response
from p2pd.httpserver import HttpServer, Limits
from p2pd.prometheus import CONTENT_TYPE, Sample, render
from p2pd.service import Daemon
from p2pd.status import downloads_status
from p2pd.world.address import is_loopback
from p2pd.world.real_network import RealNetwork

CONNECTIONS_MAX = 16
"""Scrapers: one or two, and a person."""


async def serve(daemon: Daemon, listen: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
    """Answer `GET /metrics` until cancelled; started with the address as bound. On loopback to everybody on this
    machine, elsewhere to members of the fleet, over its TLS."""
    network = RealNetwork() if is_loopback(listen) else daemon.world.network
    listener = await network.listen(listen)
    server = HttpServer(utc_now=daemon.world.utc_now, limits=Limits(connections_max=CONNECTIONS_MAX))

    async def handle(request: Request) -> Response:
        if request.path != "/metrics":
            return text_response(404, "there is only /metrics here")
        body = render(samples(daemon, trio.current_time())).encode()
        return Response(200, {"Content-Type": CONTENT_TYPE}, body)

    task_status.started(listener.address)
    await server.serve(listener, handle)


def samples(daemon: Daemon, now: float) -> Iterator[Sample]:
    """All of it; samples of one name stand together."""
    exchange, store = daemon.exchange, daemon.store
    yield Sample("p2pd_sent_bytes_total", "Bytes of pieces sent to peers", exchange.bytes_sent)
    yield Sample("p2pd_received_bytes_total", "Bytes of pieces received from anywhere", exchange.bytes_received)
    yield Sample("p2pd_connections", "Connections to peers", len(exchange.neighbours.sessions))
    yield Sample("p2pd_banned_peers", "Peers that sent what was not signed for", len(exchange.neighbours.banned))
    yield Sample("p2pd_upload_queue_bytes", "Bytes promised to peers and not sent", exchange.uploads.queued_bytes)
    yield Sample("p2pd_tracker_connected", "1 while a tracker answers", daemon.announcer.connected)
    yield Sample("p2pd_paused", "1 while a person paused downloads", daemon.downloads.paused)
    counts = daemon.downloads.patching.counts
    came = daemon.downloads.race.counts
    yield Sample("p2pd_manifest_bytes_total", "Manifests and small packs", came.whole_bytes, {"form": "whole"})
    yield Sample("p2pd_manifest_bytes_total", "Manifests and small packs", came.edits_bytes, {"form": "edits"})
    yield Sample("p2pd_manifest_saved_bytes_total", "Not fetched, for edits came instead", came.saved_bytes)
    yield Sample("p2pd_refused_edits_total", "Edits that led to no such manifest", came.refused_edits)
    yield Sample("p2pd_pack_bytes_total", "Bytes of packs that were applied", counts.pack_bytes)
    yield Sample("p2pd_patched_bytes_total", "Bytes of releases made from packs", counts.patched_bytes)
    yield Sample("p2pd_refused_pieces_total", "Pieces that a pack did not make", counts.refused_pieces)
    yield Sample("p2pd_fallback_bytes_total", "Bytes that came as they are for want of a pack", counts.fallback_bytes)
    yield from _standing(daemon)
    for artifact in store.artifacts.values():
        labels = {"release": artifact.manifest.release}
        yield Sample("p2pd_release_bytes", "Size of a release on this host", artifact.manifest.size, labels)
    for artifact in store.artifacts.values():
        labels = {"release": artifact.manifest.release}
        yield Sample("p2pd_verified_bytes", "Bytes of a release verified and on disk", artifact.present_bytes, labels)
    for artifact in store.artifacts.values():
        for source, count in artifact.bytes_by_source.items():
            labels = {"release": artifact.manifest.release, "source": source}
            yield Sample("p2pd_source_bytes_total", "Bytes of a release by where they came from", count, labels)
    for shared in exchange.memberships.values():
        for reason, count in shared.brain.snapshot(now).http_bytes.items():
            labels = {"release": shared.manifest.release, "reason": reason}
            yield Sample("p2pd_http_bytes_total", "Bytes of pieces that HTTP brought, by why", count, labels)
    yield from _running(daemon)
    for status in daemon.updates.status():
        labels = {"service": status["service"], "state": status["state"], "release": status["running_release"]}
        yield Sample("p2pd_service_info", "State of a service and what it runs", 1, labels)


def _standing(daemon: Daemon) -> Iterator[Sample]:
    """Where the time of all downloads went, what was used of the owner's links, and what others leave of them."""
    total = daemon.accounts.total
    yield Sample("p2pd_moving_seconds_total", "Seconds in which a download moved", total.moved_s)
    for reason, seconds in total.by_reason().items():
        words = "Seconds in which a download did not move, by reason"
        yield Sample("p2pd_standstill_seconds_total", words, seconds, {"reason": reason})
    used = daemon.citizenship.usage
    for period, budget in (("day", used.by_day), ("month", used.by_month)):
        for direction, count in (("upload", budget.upload_bytes), ("download", budget.download_bytes)):
            labels = {"period": period, "direction": direction}
            yield Sample("p2pd_used_bytes", "Bytes outside the LAN of the running day and month", count, labels)
    for side, facts in daemon.background.snapshot().items():
        for direction in ("upload", "download"):
            labels = {"side": side, "direction": direction}
            yield Sample("p2pd_yields", "1 while others leave us little", facts[f"{direction}_yields"], labels)


def _running(daemon: Daemon) -> Iterator[Sample]:
    """Of each running download."""
    rows = [one for one in downloads_status(daemon.downloads, daemon.store, daemon.exchange) if "seconds" in one]
    for row in rows:
        for source, rate in row.get("rate_by_source", {}).items():
            labels = {"release": row["release"], "source": source}
            yield Sample("p2pd_download_bytes_per_second", "Rate of a running download, by source", rate, labels)
    for name, key, words in (
        ("p2pd_download_bound_bytes_per_second", "bound_bytes_per_s", "The best possible rate, as far as it is known"),
        ("p2pd_download_eta_seconds", "eta_s", "Until a running download is whole, at its present rate"),
    ):
        for row in rows:
            if row.get(key) is not None:
                yield Sample(name, words, row[key], {"release": row["release"]})
    for row in rows:
        for reason, seconds in row["standstill_by_reason"].items():
            labels = {"release": row["release"], "reason": reason}
            yield Sample("p2pd_download_standstill_seconds", "Of a running download, by reason", seconds, labels)
