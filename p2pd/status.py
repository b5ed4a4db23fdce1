"""What a person may ask of a running daemon, as plain values: the answer to `p2pd status`."""

import math
from typing import Any

import trio

from p2pd.downloads import Download, Downloads
from p2pd.exchange import Exchange, Membership
from p2pd.patching.patching import Patching
from p2pd.store import LOCAL_SOURCE, PATCH_SOURCE, Artifact, Store
from p2pd.swarm import Snapshot


def downloads_status(downloads: Downloads, store: Store, exchange: Exchange) -> list[dict[str, Any]]:
    """Every release here: those on their way first."""
    now = trio.current_time()
    active = [
        _download(downloads, one, exchange.memberships.get(swarm), now) for swarm, one in downloads.active.items()
    ]
    kept = [
        _release(artifact, exchange.memberships.get(swarm), now) | _resumed(downloads.recent.get(swarm))
        for swarm, artifact in store.artifacts.items()
        if swarm not in downloads.active
    ]
    return active + kept


def _download(downloads: Downloads, download: Download, membership: Membership | None, now: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "release": str(download.release),
        "swarm": download.swarm.hex(),
        "step": download.step,
        "destination": download.destination,
        "seconds": now - download.started_at,
        "size_bytes": 0,
        "verified_bytes": 0,
        "reused_pieces": download.reused_pieces,
        "waits_for": download.waits_for,
    }
    if download.artifact is not None:
        found |= _release(download.artifact, membership, now)
        found |= _resumed(download)
        found |= {"step": download.step, "waits_for": downloads.waits_for(str(download.release))}
    else:
        found["waits_for"] = downloads.waits_for(str(download.release)) or "the manifest: asking peers and HTTP"
    return found


def _resumed(download: Download | None) -> dict[str, Any]:
    """What an earlier run had fetched already when this one took it up."""
    return {"resumed_bytes": download.resumed_bytes} if download else {}


def _release(artifact: Artifact, membership: Membership | None, now: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "release": artifact.manifest.release,
        "swarm": artifact.swarm.hex(),
        "step": "kept" if artifact.finished else "stopped",
        "destination": artifact.destination,
        "size_bytes": artifact.manifest.size,
        "verified_bytes": artifact.present_bytes,
        "pieces": artifact.manifest.pieces,
        "verified_pieces": artifact.present_count,
        "lost_pieces": len(artifact.lost),
        "bytes_by_source": artifact.bytes_by_source,
        **ways(artifact),
        "duplicate_bytes": artifact.duplicate_bytes,
        "waits_for": "",
    }
    if membership is not None:
        found |= _swarm(membership.brain.snapshot(now), now, fetching=not artifact.finished)
    return found


def ways(artifact: Artifact) -> dict[str, int]:
    """Bytes that lay here already, that were made from a pack, and that travelled as they are."""
    sources = artifact.bytes_by_source
    reused, patched = sources.get(LOCAL_SOURCE, 0), sources.get(PATCH_SOURCE, 0)
    return {"reused_bytes": reused, "patched_bytes": patched, "full_bytes": sum(sources.values()) - reused - patched}


def patching_status(patching: Patching) -> dict[str, Any]:
    """What packs did since the daemon began, and those that are here."""
    counts = patching.counts
    return {
        "pack_bytes": counts.pack_bytes,
        "patched_bytes": counts.patched_bytes,
        "fallback_bytes": counts.fallback_bytes,
        "refused_pieces": counts.refused_pieces,
        "packs": [
            {
                "release": pack.manifest.release,
                "swarm": pack.swarm.hex(),
                "size_bytes": pack.manifest.size,
                "present_bytes": pack.present_bytes,
                "bytes_by_source": pack.bytes_by_source,
            }
            for pack in patching.shelf.store.artifacts.values()
        ],
        "at_work": [
            {
                "release": work.release.manifest.release,
                "pack": work.pack.manifest.hex() if work.pack else "",
                "fallback_bytes": work.fallback.spent_bytes(work.missing),
                "because": work.because,
            }
            for work in patching.work.values()
        ],
    }


def _swarm(snapshot: Snapshot, now: float, *, fetching: bool) -> dict[str, Any]:
    return {
        "rate_bytes_per_s": snapshot.down_per_s,
        "eta_s": snapshot.eta_s if math.isfinite(snapshot.eta_s) else None,
        "received_bytes_by_source": snapshot.bytes_by_tier,
        "received_twice_bytes": snapshot.duplicate_bytes,
        "http_bytes_by_reason": snapshot.http_bytes,
        "http_helps_for": snapshot.topped_up_for,
        "due_in_s": snapshot.finish_by - now if math.isfinite(snapshot.finish_by) else None,
        "pieces_in_flight": snapshot.in_flight,
        "paused": snapshot.paused and fetching,
        "peers": [
            {
                "node": peer.key,
                "tier": peer.tier,
                "pieces": peer.pieces,
                "requested": peer.requested,
                "down_bytes_per_s": peer.down_per_s,
                "up_bytes_per_s": peer.up_per_s,
                "received_bytes": peer.bytes_received,
                "sent_bytes": peer.bytes_sent,
                "snubbed": peer.snubbed,
            }
            for peer in snapshot.peers
        ],
    }
