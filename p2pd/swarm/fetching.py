"""The asking half of the brain: keeps every useful source busy, and leaves those that are not.

idle capacity at a peer  ->  ask for the rarest piece that it holds and nobody was asked for
nothing left to ask for  ->  hedge: a piece in flight at somebody much slower
owed and silent for 3 s  ->  snub: take its pieces back, try it again later, twice as late each time
missed and nowhere held  ->  tell the shields (Want); without a shield, or when all stalls, ask HTTP
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from p2pd.policy.hedging import COPIES_MAX, GAIN_S_MIN, HOPELESS_S, WAITED_S_MIN, is_hopeless, worth_hedging
from p2pd.policy.pacing import Rate, queue_bytes, refilled_below, total_queue_bytes
from p2pd.policy.picking import pick_rarest
from p2pd.policy.sources import ORIGIN_FETCHES_MAX, STALL_S, Facts, Tier, origin_scope
from p2pd.wire import bits as bitset
from p2pd.wire.messages import Cancel, Request, Want

from .actions import Fetch, Send
from .books import Books
from .circle import Circles
from .peerview import PeerView
from .requests import Requests
from .topping import TopUp

ORIGIN: Final = "origin"
"""The key under which pieces from HTTP are booked."""
TICK_S: Final = 0.25
QUEUED_S_MAX: Final = 6.0
SNUB_S: Final = 5.0
SNUB_S_MAX: Final = 80.0
BUSY_S: Final = 0.5
"""Until a peer is asked again that is busy and owes us nothing."""
REFUSALS_MAX: Final = 3
"""In a row: who refuses more often is asked all the same, but that we asked it is no reason to wait for it. (A swarm in
which all were busy for ever kept HTTP waiting for 12 s.)"""
GROWTH: Final = 0.25
"""Pieces that a busy peer may owe us more for each that came: so we find what it takes, and it need not refuse much."""
STUCK_S: Final = 12.0
"""Nothing moved for so long: HTTP is asked for whatever is missing, whomever of the region it falls to."""
WANT_AFTER_S: Final = 0.5
WANT_PIECES: Final = 64
COUNTED_PIECES: Final = 64
UNHELD: Final = "nobody holds it"
STALLED: Final = "nothing moves"
HEDGE_LOOKS: Final = 64
HEDGE_EVERY_S: Final = 0.05
"""An idle peer is looked at no more often: with all that comes meanwhile it was a sixth of a swarm's work."""


class Fetching:
    """Asks. `now` never goes back; nothing is asked while paused or complete."""

    def __init__(self, books: Books, circles: Circles, rng: Random, now: float) -> None:
        self._books, self._circles, self._rng = books, circles, rng
        self.everything = bitset.full(len(books.lengths))
        books.want(self.everything)
        self._piece_bytes = sum(books.lengths) / len(books.lengths) if books.lengths else 1.0
        self.requests = Requests(books.lengths)
        self.rate = Rate()
        self.origin = PeerView(ORIGIN, Tier.ORIGIN, self.everything, now)
        self.origin_usable = False
        self.paused = False
        self.held_back = ""
        """Why nobody outside the LAN may be asked now; '' if they may."""
        self.top_up = TopUp(now)
        self.http_bytes: dict[str, int] = {}
        """Of pieces that HTTP brought, by why it was asked."""
        self._asked_because: dict[int, str] = {}
        self.progress_at = self._peers_at = self._unheld_since = self._wanted_at = now
        self.capped_at = float("-inf")  # when our own cap last kept us from reading

    @property
    def missing(self) -> int:
        """Pieces that are wanted, and neither present nor being verified."""
        return self._books.missing

    @property
    def unheld(self) -> int:
        """Missing pieces that no neighbour told us of."""
        books = self._books
        return books.missing & ~books.by_peers.held & ~books.by_shields.held

    @property
    def missing_bytes(self) -> int:
        """Their length, exact where few are left and by the average where many are: counting would take its time."""
        missing = self.missing
        count = missing.bit_count()
        if count > COUNTED_PIECES:
            return round(count * self._piece_bytes)
        return sum(self._books.lengths[piece] for piece in bitset.iterate(missing))

    def refill(self, peer: PeerView, now: float) -> None:
        """Ask `peer` for as much as it may owe us."""
        requests, requested = self.requests, peer.requested
        missing = self._books.missing
        unasked = missing ^ (missing & requests.in_flight)  # as `missing & ~in_flight`, at a third of its price
        if unasked:
            if not peer.bits & unasked:
                return  # most news is of pieces that others bring already
        elif requested or now < peer.hedge_at or not requests.in_flight:
            return  # nothing to hedge
        if self.paused or not peer.available(now) or (self.held_back and peer.tier is not Tier.LAN):
            return
        room = queue_bytes(peer.rate.per_s(now), self._piece_bytes) if not peer.snubs else self._piece_bytes
        if peer.requested_bytes >= refilled_below(room):
            return
        total_room = total_queue_bytes(self.rate.per_s(now), self._piece_bytes)
        while peer.requested_bytes < room and len(requested) < peer.window:
            if requests.outstanding_bytes >= total_room and not peer.offered & unasked:
                return
            piece = self._choose(peer, unasked, now) if unasked else self._choose_hedge(peer, now)
            if piece is None:
                return
            self._ask(peer, piece, now)
            unasked ^= unasked & (1 << piece)

    def _choose(self, peer: PeerView, unasked: int, now: float) -> int | None:
        candidates = peer.bits & unasked & self.importable(peer, now)
        if peer.tier is Tier.SHIELD and self.requests.in_flight:
            # The dear source is for what peers can't bring; only an idle downloader takes anything from it.
            candidates &= ~self._books.by_peers.held | peer.offered
        return pick_rarest(candidates, self._books.by_peers.counts, self._rng)

    def importable(self, peer: PeerView, now: float) -> int:
        """What we may ask `peer` for, should it hold it: others behind our link may be about to bring it in."""
        circle = self._circles.around(peer.tier)
        return self.everything if circle is None else circle.importable(now)

    def _choose_hedge(self, peer: PeerView, now: float) -> int | None:
        """A piece that is on its way from another, where all that is missing was asked for."""
        if peer.requested or now < peer.hedge_at or not self.requests.in_flight:
            return None
        peer.hedge_at = now + HEDGE_EVERY_S
        candidates = peer.bits & self.requests.in_flight & self.importable(peer, now)
        total_rate = max(1.0, self.rate.per_s(now))
        own_rate = peer.rate.per_s(now) or total_rate / max(1, len(self._books.peers))
        # If our own downlink is what limits us, a second request only adds bytes to it.
        all_s = self.requests.outstanding_bytes / total_rate
        left_of, slow_ones = self._slow(all_s, now)
        if not slow_ones:
            return None  # mostly
        best, best_left_s = None, GAIN_S_MIN
        for _, piece in zip(range(HEDGE_LOOKS), bitset.iterate(candidates), strict=False):
            if piece not in slow_ones:
                continue
            owners = self.requests.owners[piece]
            left_s = min([left_of[owner.key] for owner in owners])
            if left_s <= best_left_s:
                continue
            length, peak, copies = self._books.lengths[piece], peer.rate.peak_per_s, len(owners)
            fresh_s = max(all_s, length / max(1.0, own_rate))
            if is_hopeless(left_s=left_s, waited_s=now - max(owner.requested[piece] for owner in owners)):
                # Present rates say little then: what counts is what the peer once could do, or the benefit of doubt.
                fresh_s, copies = length / peak if peak else 0.0, 0
            if worth_hedging(left_s=left_s, fresh_s=fresh_s, copies=copies):
                best, best_left_s = piece, left_s
        return best

    def _slow(self, all_s: float, now: float) -> tuple[dict[str, float], set[int]]:
        """Seconds until each of those asked has brought what it owes us; and the pieces of those whom it takes longer
        than all of it should."""
        left_of: dict[str, float] = {}
        pieces: set[int] = set()
        asked = [owner for owner in self._books.peers.values() if owner.requested]
        if self.origin.requested:
            asked.append(self.origin)
        for owner in asked:
            left_s = left_of[owner.key] = owner.requested_bytes / max(1.0, owner.rate.per_s(now))
            if left_s >= HOPELESS_S or worth_hedging(left_s=left_s, fresh_s=all_s, copies=0):
                pieces.update(owner.requested)
        return left_of, pieces

    def _ask(self, peer: PeerView, piece: int, now: float) -> None:
        self.requests.add(peer, piece, now)
        peer.cancelled.discard(piece)
        if (circle := self._circles.around(peer.tier)) is not None:
            circle.brings(piece)
        lacking = self._books.missing.bit_count()
        self._books.act(Fetch(piece) if peer is self.origin else Send(peer.key, Request(0, piece, lacking)))

    def arrived(self, peer: PeerView, count: int, now: float) -> None:
        """`count` bytes of a piece came from `peer`."""
        peer.rate.add(count, now)
        self.rate.add(count, now)
        if peer is not self.origin:
            self.top_up.peers.add(count, now)
            self._peers_at = now
        peer.progress_at = self.progress_at = now
        peer.bytes_received += count
        peer.snubs = 0
        peer.snubbed_until = float("-inf")

    def not_read(self, peer: PeerView, now: float) -> None:
        """What `peer` sends waits until our own cap lets it be read."""
        peer.progress_at = self.capped_at = now

    def delivered(self, peer: PeerView, piece: int, now: float) -> bool:
        """A whole piece came; True if it is still missing. Whoever else was asked for it is told not to bother."""
        self.requests.remove(peer, piece)
        peer.cancelled.discard(piece)
        peer.window += GROWTH
        peer.refusals = 0
        if peer.doubted:
            peer.doubted = False
            self._circles.enter(peer, now)
        if peer is self.origin:
            why = self._asked_because.pop(piece, "")
            self.http_bytes[why] = self.http_bytes.get(why, 0) + self._books.lengths[piece]
        for other in self.requests.others(peer, piece):
            self._cancel(other, piece)
        return bool(self._books.missing >> piece & 1)

    def _cancel(self, peer: PeerView, piece: int) -> None:
        self.requests.remove(peer, piece)
        if peer is not self.origin:
            peer.cancelled.add(piece)
            self._books.act(Send(peer.key, Cancel(0, piece)))

    def rejected(self, peer: PeerView, piece: int, reason: str, now: float) -> None:
        """`peer` won't bring a piece. Unless it is `gone`, asking the same again at once would be a busy loop."""
        if self.requests.remove(peer, piece):
            peer.cancelled.add(piece)  # its bytes may have left before it said so
        if reason == "gone":
            return
        if peer.requested and reason != "failed":
            peer.window = float(len(peer.requested))
        else:
            peer.busy_until = now + BUSY_S * (0.5 + self._rng.random())
            peer.refusals += 1

    def want(self, pieces: int, now: float) -> None:
        """Ask for these only, and take back what was asked beyond them."""
        self._books.want(pieces)
        self._unheld_since = now
        for peer in [*self._books.peers.values(), self.origin]:
            for piece in [one for one in peer.requested if not pieces >> one & 1]:
                self._cancel(peer, piece)

    def release(self, peer: PeerView) -> None:
        """`peer` is gone: what it owed may be asked elsewhere."""
        self.requests.release(peer)

    def pause(self) -> None:
        """Ask for nothing more, and take back what was asked."""
        self.paused = True
        for peer in [*self._books.peers.values(), self.origin]:
            for piece in list(peer.requested):
                self._cancel(peer, piece)

    def resume(self, now: float) -> None:
        """Go on."""
        self.paused = False
        self.progress_at = self._peers_at = self._unheld_since = now
        self.top_up.begin_anew(now)
        self.tick(now)

    def hold_back(self, because: str, now: float) -> None:
        """Ask nobody outside the LAN while there is a reason not to; '' ends that."""
        freed, self.held_back = bool(self.held_back) and not because, because
        if because:
            for peer in [*self._books.peers.values(), self.origin]:
                if peer.tier is not Tier.LAN:
                    for piece in list(peer.requested):
                        self._cancel(peer, piece)
        elif freed and not self.paused:
            self.resume(now)

    def tick(self, now: float) -> None:
        """What time alone decides: snubs, wants, HTTP, and another look at every idle source."""
        if self.paused or not self.missing:
            return
        for peer in self._books.peers.values():
            self._snub_if_silent(peer, now)
            self._doubt_if_hopeless(peer, now)
        self._circles.look(now, idle=not self._owed(), sources=self._sources(now))
        for peer in sorted(self._books.peers.values(), key=lambda one: one.tier):
            self.refill(peer, now)
        if not self.held_back:
            self._tell_want(now)
            self._use_origin(now)

    def _owed(self) -> bool:
        """Somebody was asked who can be expected to bring it."""
        sources = (*self._books.peers.values(), self.origin)
        return any(one.requested and not one.doubted and one.refusals < REFUSALS_MAX for one in sources)

    def _snub_if_silent(self, peer: PeerView, now: float) -> None:
        if not peer.requested or now - peer.progress_at < STALL_S:
            return
        patience_s = STALL_S
        if now - self.progress_at < STALL_S:
            # What everybody owes us comes through our own downlink: a long queue there is no stall of this peer.
            queue_s = self.requests.outstanding_bytes / max(1.0, self.rate.per_s(now))
            patience_s = max(STALL_S, min(QUEUED_S_MAX, 2 * queue_s))
        if now - max(peer.progress_at, min(peer.requested.values())) < patience_s:
            return
        for piece in list(peer.requested):
            self._cancel(peer, piece)
        peer.snubbed_until = now + min(SNUB_S_MAX, SNUB_S * 2**peer.snubs)
        peer.snubs += 1
        if peer.snubs > 1:  # once, an honest peer behind a slow link may be late, too
            self._doubt(peer)

    def _doubt_if_hopeless(self, peer: PeerView, now: float) -> None:
        """One piece alone would take it too long: who drips bytes must not keep us from bringing pieces in."""
        if peer.requested and not peer.doubted:
            piece_s = self._piece_bytes / max(1.0, peer.rate.per_s(now))
            if piece_s >= HOPELESS_S and is_hopeless(left_s=piece_s, waited_s=now - min(peer.requested.values())):
                self._doubt(peer)

    def _doubt(self, peer: PeerView) -> None:
        peer.doubted = True
        self._circles.leave(peer)
        self._circles.recount(self._books.peers.values())

    def _tell_want(self, now: float) -> None:
        unheld = self.unheld
        if not unheld or now - self.progress_at < WANT_AFTER_S or now - self._wanted_at < WANT_AFTER_S:
            return
        self._wanted_at = now
        start = bitset.first_from(unheld, self._rng.randrange(unheld.bit_length()))
        pieces = [start, *(piece for _, piece in zip(range(WANT_PIECES - 1), bitset.iterate(unheld), strict=False))]
        for peer in self._books.peers.values():
            if peer.tier is Tier.SHIELD:
                self._books.act(Send(peer.key, Want(0, tuple(sorted(set(pieces))))))

    def shield_alive(self, now: float) -> bool:
        """A shield is connected and answers."""
        return any(peer.tier is Tier.SHIELD and now >= peer.snubbed_until for peer in self._books.peers.values())

    def _sources(self, now: float) -> set[Tier]:
        """Of which tiers somebody may be asked now."""
        tiers = {peer.tier for peer in self._books.peers.values() if peer.available(now)}
        return tiers if self._origin_scope(now) == "nothing" else tiers | {Tier.ORIGIN}

    def _origin_scope(self, now: float) -> str:
        unheld, shield_alive = self.unheld, self.shield_alive(now)
        if shield_alive or not unheld:
            self._unheld_since = now
        facts = Facts(
            unheld=bool(unheld),
            shield_alive=shield_alive,
            since_change_s=now - self._unheld_since,
            since_progress_s=now - max(self._peers_at, self.capped_at),
        )
        return origin_scope(facts) if self.origin_usable else "nothing"

    def _use_origin(self, now: float) -> None:
        if not self.origin_usable:
            return
        self.top_up.look(self.missing_bytes, now)
        scope = self._origin_scope(now)
        unasked = self.missing & ~self.requests.in_flight
        if scope != "nothing":
            # Where nothing moves, what was asked for elsewhere counts for little: who is busy is asked again and again.
            unheld = scope == "unheld"
            stalled = self.missing & ~bitset.of(tuple(self.origin.requested)) & ~self._asked_enough(now)
            falls_to_us = self._circles.mine(now)
            if now - max(self.progress_at, self.capped_at) >= STUCK_S:
                falls_to_us = self.everything  # in whose part it is and who holds it does not bring it
            candidates = (self.unheld & unasked if unheld else stalled) & falls_to_us
            self._ask_origin(candidates, UNHELD if unheld else STALLED, now)
        mine = unasked & self._circles.mine(now)
        for candidates in (mine & ~self._circles.region.held, mine, unasked):
            self._ask_origin(candidates & ~self.requests.in_flight, self.top_up.why, now, pacing=True)
        if self.top_up.may_ask:
            self._ask_origin(self._late(now), self.top_up.why, now, pacing=True)

    def _asked_enough(self, now: float) -> int:
        """What as many as may be were asked for only just now."""
        asked = self.requests.owners.items()
        fresh = ((piece, sum(now - one.requested[piece] < WAITED_S_MIN for one in owners)) for piece, owners in asked)
        return sum(1 << piece for piece, count in fresh if count >= COPIES_MAX)

    def _late(self, now: float) -> int:
        """Some of what was asked for already, and will not come from there in time."""
        looked_at = zip(range(HEDGE_LOOKS), self.requests.owners.items(), strict=False)
        return sum(
            1 << piece for _, (piece, owners) in looked_at if self._left_s(owners, now) > self.top_up.left_s(now)
        )

    def _left_s(self, owners: Sequence[PeerView], now: float) -> float:
        """Until the first of those that were asked for a piece brings it; 0 where HTTP was: it is not asked twice."""
        if self.origin in owners:
            return 0.0
        return min(owner.requested_bytes / max(1.0, owner.rate.per_s(now)) for owner in owners)

    def _ask_origin(self, candidates: int, why: str, now: float, *, pacing: bool = False) -> None:
        counts = self._books.by_peers.counts
        while len(self.origin.requested) < ORIGIN_FETCHES_MAX and (self.top_up.may_ask or not pacing):
            piece = pick_rarest(candidates, counts, self._rng)
            if piece is None:
                return
            candidates &= ~(1 << piece)
            self._asked_because[piece] = why
            self._ask(self.origin, piece, now)
            if pacing:
                self.top_up.asked(self._books.lengths[piece])
