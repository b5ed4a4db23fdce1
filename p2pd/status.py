"""What a person may ask of a running daemon, as plain values: the answer to `p2pd status`."""

import math
from typing import Any

import trio

from p2pd.downloads import Download, Downloads
from p2pd.exchange import Exchange
from p2pd.exchange.caps import Caps
from p2pd.patching.patching import Patching
from p2pd.policy.bound import bound_per_s
from p2pd.store import LOCAL_SOURCE, PATCH_SOURCE, Artifact, Store
from p2pd.swarm import Snapshot


def downloads_status(downloads: Downloads, store: Store, exchange: Exchange) -> list[dict[str, Any]]:
    """Every release here: those on their way first."""
    active = [_download(downloads, one, exchange) for one in downloads.active.values()]
    kept = [
        _release(artifact, exchange) | _told(downloads.recent.get(swarm))
        for swarm, artifact in store.artifacts.items()
        if swarm not in downloads.active
    ]
    return active + kept


def _download(downloads: Downloads, download: Download, exchange: Exchange) -> dict[str, Any]:
    found: dict[str, Any] = {
        "release": str(download.release),
        "swarm": download.swarm.hex(),
        "step": download.step,
        "destination": download.destination,
        "seconds": trio.current_time() - download.started_at,
        "size_bytes": 0,
        "verified_bytes": 0,
        "reused_pieces": download.reused_pieces,
        "waits_for": download.waits_for,
    } | _told(download)
    if download.artifact is not None:
        found |= _release(download.artifact, exchange)
        found |= {"step": download.step, "waits_for": downloads.waits_for(str(download.release))}
    else:
        found["waits_for"] = downloads.waits_for(str(download.release)) or "the manifest: asking peers and HTTP"
    return found


def _told(download: Download | None) -> dict[str, Any]:
    """What an earlier run had fetched already when this one took it up, and where the time went."""
    if download is None:
        return {}
    ledger = download.ledger
    return {
        "resumed_bytes": download.resumed_bytes,
        "moved_s": ledger.moved_s,
        "standstill_s": ledger.standstill_s,
        "standstill_by_reason": ledger.by_reason(),
        "standstill": ledger.words(),
    }


def _release(artifact: Artifact, exchange: Exchange) -> dict[str, Any]:
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
    membership = exchange.memberships.get(artifact.swarm)
    if membership is not None:
        now = trio.current_time()
        found |= _swarm(membership.brain.snapshot(now), now, exchange.caps, fetching=not artifact.finished)
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
        "small_packs": [
            {"release": release, "digest": digest.hex(), "bytes": count}
            for digest, release, count in patching.small.rows()
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


def _bound(snapshot: Snapshot, caps: Caps) -> dict[str, float | None]:
    """The best possible rate as far as it is known, how near it is, and how long the rest would take at that."""
    lan, wide = caps.lan.down.rate_bytes_per_s, caps.wide.down.rate_bytes_per_s
    bound = bound_per_s(snapshot.sources_per_s, lan_cap_per_s=lan, wide_cap_per_s=wide)
    if not bound:
        return {"bound_bytes_per_s": None, "share_of_bound": None, "eta_at_bound_s": None}
    return {
        "bound_bytes_per_s": bound,
        "share_of_bound": min(1.0, snapshot.down_per_s / bound),
        "eta_at_bound_s": snapshot.missing_bytes / bound,
    }


def _swarm(snapshot: Snapshot, now: float, caps: Caps, *, fetching: bool) -> dict[str, Any]:
    return {
        "rate_bytes_per_s": snapshot.down_per_s,
        "eta_s": snapshot.eta_s if math.isfinite(snapshot.eta_s) else None,
        "rate_by_source": snapshot.rate_by_tier,
        **_bound(snapshot, caps),
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
