"""The brain of one swarm: our part in the exchange of one release's pieces.

Its owner tells it what happened (a peer joined, a message came, a piece was stored) and the time, then does what
`next_action()` says until it says None, and calls `handle_timer` when `next_timer()` has come. It never waits, draws
only from the dice it was handed, and so runs the same in the daemon and in the simulator.
"""

from collections.abc import Sequence
from random import Random

from p2pd.policy.dialing import counted
from p2pd.policy.sources import Tier
from p2pd.wire import bits as bitset
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.messages import HAVES_MAX, AnyMessage, Cancel, Have, Lost, Reject, Request, Want

from .actions import Action, Complete, Drop, Send, Serve, Withdraw
from .availability import Availability
from .books import Books
from .circle import Circles
from .explain import standstill
from .fetching import ORIGIN, TICK_S, Fetching
from .ledger import Reason
from .naming import Naming
from .peerview import PeerView
from .snapshot import Pace, Snapshot, Tallies, pace_of, snapshot_of
from .telling import Telling

__all__ = ["ORIGIN", "Swarm"]


class Swarm:
    """One swarm. `lengths`: bytes of each piece. `present`: the set that we hold. `super_seeding`: be a shield.
    `name`: ours, as neighbours know us."""

    def __init__(
        self,
        lengths: Sequence[int],
        present: int,
        *,
        rng: Random,
        now: float,
        super_seeding: bool = False,
        name: str = "",
    ) -> None:
        pieces = len(lengths)
        self._tallies = Tallies(now)
        self._actions: list[Action] = []
        self._books = Books(lengths, present, 0, {}, Availability(pieces), Availability(pieces), self._actions)
        self._circles = Circles(name, pieces, now)
        self._fetching = Fetching(self._books, self._circles, rng, now)
        self._naming = Naming(self._books) if super_seeding else None
        self._telling = Telling(self._books)
        self._tick_at = now

    def __repr__(self) -> str:
        return f"<Swarm {self.present.bit_count()}/{len(self._books.lengths)} pieces, {len(self._books.peers)} peers>"

    @property
    def present(self) -> int:
        """The set of pieces that we hold."""
        return self._books.present

    @property
    def complete(self) -> bool:
        """We hold every piece."""
        return self._books.present == self._fetching.everything

    @property
    def resting(self) -> bool:
        """It asks for nothing now, or only on the LAN, because it was told so."""
        return self._fetching.paused or bool(self._fetching.held_back)

    @property
    def progress_at(self) -> float:
        """When bytes of a piece last came."""
        return self._fetching.progress_at

    @property
    def arrived_bytes(self) -> int:
        """All that ever came, of whole pieces or not."""
        return sum(self._tallies.bytes_by_tier((*self._books.peers.values(), self._fetching.origin)).values())

    def standstill(self, now: float) -> Reason | None:
        """Why nothing would come now, should nothing come; None when all that is wanted is here."""
        return standstill(self._books, self._fetching, now)

    @property
    def origin_usable(self) -> bool:
        """An HTTP origin is there, and does not rest after failures."""
        return self._fetching.origin_usable

    @property
    def neighbours(self) -> int:
        """How many peers of this swarm we are connected to."""
        return len(self._books.peers)

    @property
    def serving_neighbours(self) -> int:
        """How many of them can be said to serve us: of those from other regions no more than have places."""
        far = sum(peer.tier is Tier.REMOTE for peer in self._books.peers.values())
        return counted(self.neighbours - far, far)

    @property
    def holders(self) -> set[str]:
        """Neighbours that are no shields and have every piece."""
        peers = self._books.peers.values()
        return {one.key for one in peers if one.tier is not Tier.SHIELD and one.bits == self._fetching.everything}

    def held_by(self, key: str) -> int:
        """The set of pieces that a neighbour holds; empty for who is none."""
        peer = self._books.peers.get(key)
        return peer.bits if peer is not None else 0

    @property
    def spread(self) -> list[int]:
        """How many neighbours that are no shields hold each piece, at any time."""
        return self._books.by_peers.counts

    @property
    def share(self) -> float:
        """How far we are, from 0 to 1; once we hold every piece, how far the neighbours are on average."""
        pieces = len(self._books.lengths)
        if not self.complete:
            return self.present.bit_count() / pieces
        others = sum(peer.tier is not Tier.SHIELD for peer in self._books.peers.values())
        return sum(self.spread) / (pieces * others) if others else 1.0

    @property
    def circles(self) -> Circles:
        """Who shares a link with us, and who of them brings pieces in over it."""
        return self._circles

    def opening_bits(self) -> int:
        """What to show of ourselves when joining: a super-seeder shows nothing and names pieces one by one."""
        return 0 if self._naming else self._books.present

    # -- what happened ------------------------------------------------------------------------------------------

    def add_peer(self, key: str, tier: Tier, bits: int, now: float) -> None:
        """A neighbour joined this swarm, holding `bits`."""
        peer = PeerView(key, tier, bits, now)
        self._books.peers[key] = peer
        self._availability(peer).add(bits)
        self._circles.enter(peer, now)
        self._tick_at = min(self._tick_at, now + TICK_S)
        if self._naming:
            self._naming.offer(peer, now)
        self._fetching.refill(peer, now)

    def remove_peer(self, key: str, now: float) -> None:
        """A neighbour left or its connection broke."""
        peer = self._books.peers.pop(key, None)
        if peer is None:
            return
        self._tallies.depart(peer)
        self._availability(peer).remove(peer.bits)
        self._circles.leave(peer)
        self._circles.recount(self._books.peers.values())
        self._fetching.release(peer)
        if self._naming:
            self._naming.forget(peer)
        self._tick_at = min(self._tick_at, now)

    def receive(self, key: str, message: AnyMessage, now: float) -> None:
        """A neighbour said something about this swarm; RemoteProtocolError when it may not say that."""
        peer = self._books.peers[key]
        if type(message) is Have:  # first of all: half of all messages are this one, and a third the next
            self._on_have(peer, message.pieces, now)
            return
        if type(message) is Request:
            self._on_request(peer, message.piece, message.lacking, now)
            return
        match message:
            case Lost(pieces=pieces):
                self._on_lost(peer, pieces, now)
            case Want(pieces=pieces):
                self._on_want(peer, pieces, now)
            case Cancel(piece=piece):
                self._actions.append(Withdraw(key, piece))
                if self._naming:
                    self._naming.cancelled(peer, piece)
            case Reject(piece=piece, reason=reason):
                self._on_reject(peer, piece, reason, now)
            case _:
                raise RemoteProtocolError(f"{type(message).__name__} is not about a swarm")

    def _on_have(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        told = self._set_of(pieces)
        if peer.tier is Tier.SHIELD:
            peer.offered |= told & self._books.by_peers.held
        fresh = told ^ (told & peer.bits)
        if fresh:
            peer.bits |= fresh
            if fresh.bit_count() == len(pieces):  # mostly: then nothing needs to be looked for
                self._availability(peer).add_named(pieces, fresh)
            else:
                self._availability(peer).add(fresh)
            self._circles.holds(peer, fresh, len(pieces) <= bitset.FEW, now)
        if self._naming:
            self._naming.holds(peer, pieces, now)
        self._fetching.refill(peer, now)

    def _on_lost(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        gone = self._set_of(pieces) & peer.bits
        peer.bits &= ~gone
        self._availability(peer).remove(gone)
        self._circles.recount(self._books.peers.values())
        for piece in bitset.iterate(gone):
            self._fetching.rejected(peer, piece, "gone", now)

    def _on_want(self, peer: PeerView, pieces: tuple[int, ...], now: float) -> None:
        self._set_of(pieces)
        if self._naming:
            self._naming.want(peer, pieces, now)

    def _on_request(self, peer: PeerView, piece: int, lacking: int, now: float) -> None:
        self._check(piece)
        if self._naming:
            self._naming.asked(peer, (piece,), now)
        if self._books.present >> piece & 1:
            self._actions.append(Serve(peer.key, piece, 0.0 if self._naming else lacking / len(self._books.lengths)))
        else:
            self._actions.append(Send(peer.key, Reject(0, piece, "gone")))

    def _on_reject(self, peer: PeerView, piece: int, reason: str, now: float) -> None:
        self._check(piece)
        if reason == "gone" and peer.bits >> piece & 1:
            self._on_lost(peer, (piece,), now)
        else:
            self._fetching.rejected(peer, piece, reason, now)
        self._fetching.refill(peer, now)

    def expects(self, key: str, piece: int) -> bool:
        """We asked this neighbour for this piece (and may have taken it back): its bytes are welcome."""
        peer = self._books.peers[key]
        return piece in peer.requested or piece in peer.cancelled

    def arrived(self, key: str, count: int, now: float) -> None:
        """`count` bytes of some piece came from a neighbour or ORIGIN."""
        peer = self._peer(key)
        if peer is not None:
            self._fetching.arrived(peer, count, now)

    def not_read(self, key: str, now: float) -> None:
        """A neighbour's bytes wait for our own cap: it is not silent."""
        peer = self._books.peers.get(key)
        if peer is not None:
            self._fetching.not_read(peer, now)

    def delivered(self, key: str, piece: int, now: float) -> bool:
        """A whole piece came; True: verify and store it, then say `stored` or `corrupt`. False: we have it already."""
        peer = self._peer(key)
        fresh = (
            bool(self._fetching.missing >> piece & 1) if peer is None else self._fetching.delivered(peer, piece, now)
        )
        if fresh:
            self._books.verify(piece)
        else:
            self._tallies.duplicate_bytes += self._books.lengths[piece]
        if peer is not None and peer is not self._fetching.origin:
            self._fetching.refill(peer, now)
        elif peer is not None:
            self._tick_at = min(self._tick_at, now)
        return fresh

    def stored(self, piece: int, now: float) -> None:
        """The piece is verified and written (fetched, or copied from an older release)."""
        known = self._books.present >> piece & 1
        self._books.keep(piece)
        if known:
            return
        if not self._naming:
            self._telling.stored(piece, now)
        if self.complete:
            self._actions.append(Complete())

    def corrupt(self, key: str, piece: int, now: float) -> None:
        """What a neighbour sent as this piece is not it: never speak to it again."""
        self._books.give_up(piece)
        if key != ORIGIN:
            self._actions.append(Drop(key, f"sent bytes that are not piece {piece}"))
        self._tick_at = min(self._tick_at, now)

    def failed(self, key: str, piece: int, now: float) -> None:
        """A piece that was delivered could not be stored (disk), or HTTP did not bring it."""
        self._books.give_up(piece)
        peer = self._peer(key)
        if peer is not None:
            self._fetching.rejected(peer, piece, "failed", now)
        self._tick_at = min(self._tick_at, now + TICK_S)

    def rate_of(self, key: str, now: float) -> float:
        """Bytes a second that come from there; 0 from who is no neighbour any more."""
        peer = self._peer(key)
        return peer.rate.per_s(now) if peer is not None else 0.0

    def sent(self, key: str, piece: int, now: float) -> None:
        """We sent a whole piece to a neighbour."""
        peer = self._books.peers.get(key)
        if peer is None:
            return
        peer.upload_rate.add(self._books.lengths[piece], now)
        peer.bytes_sent += self._books.lengths[piece]
        if self._naming:
            self._naming.sent(peer, piece, now)

    def lose(self, piece: int, now: float) -> None:
        """We hold this piece no longer (evicted, or damaged on disk)."""
        self._books.lose(piece)
        for peer in self._books.peers.values():
            self._actions.append(Send(peer.key, Lost(0, (piece,))))
        self._tick_at = min(self._tick_at, now)

    def pause(self) -> None:
        """Ask for nothing until `resume`."""
        self._fetching.pause()

    def resume(self, now: float) -> None:
        """Ask again."""
        self._fetching.resume(now)
        self._tick_at = now + TICK_S

    def want(self, pieces: int, now: float) -> None:
        """Ask for this set of pieces only: the others come another way, or are not needed."""
        if pieces != self._books.wanted:
            self._fetching.want(pieces, now)
            self._tick_at = min(self._tick_at, now)

    def aim(self, *, finish_by: float, floor_per_s: float, now: float) -> None:
        """When to be done (inf: whenever), and the rate below which HTTP is to help (0: however slow)."""
        self._fetching.top_up.aim(finish_by=finish_by, floor_per_s=floor_per_s, now=now)
        self._tick_at = min(self._tick_at, now + TICK_S)

    def hold_back(self, because: str, now: float) -> None:
        """Ask only LAN peers while there is a reason to; '' ends that."""
        if because != self._fetching.held_back:
            self._fetching.hold_back(because, now)
            self._tick_at = min(self._tick_at, now)

    def use_origin(self, usable: bool, now: float) -> None:
        """Whether an HTTP origin is there to be asked."""
        if usable != self._fetching.origin_usable:
            self._fetching.origin_usable = usable
            self._tick_at = min(self._tick_at, now)

    def exhausted(self, key: str) -> bool:
        """We hold everything and so does this neighbour (or it is none): nothing is left to exchange."""
        peer = self._books.peers.get(key)
        return self.complete and (peer is None or peer.bits.bit_count() == len(self._books.lengths))

    # -- time and deeds -----------------------------------------------------------------------------------------

    def next_timer(self) -> float:
        """When `handle_timer` wants to be called; infinite when only an event can change anything."""
        tell_at = self._telling.due_at
        return tell_at if tell_at < self._tick_at else self._tick_at

    def handle_timer(self, now: float) -> None:
        """The time that `next_timer` named has come."""
        if now >= self._telling.due_at:
            self._telling.tell()
        if now >= self._tick_at:
            if self._naming:
                self._naming.tick(now)
            self._fetching.tick(now)
            busy = (not self._fetching.paused and self._fetching.missing) or (self._naming and self._books.peers)
            self._tick_at = now + TICK_S if busy else float("inf")

    def next_action(self) -> Action | None:
        """The next deed, or None."""
        return self._actions.pop(0) if self._actions else None

    def snapshot(self, now: float) -> Snapshot:
        """Frozen facts."""
        return snapshot_of(self._books, self._fetching, self._tallies, now)

    def pace(self, now: float) -> Pace:
        """What we get now."""
        return pace_of(self._books, self._fetching, now)

    # -- small help ---------------------------------------------------------------------------------------------

    def _availability(self, peer: PeerView) -> Availability:
        return self._books.by_shields if peer.tier is Tier.SHIELD else self._books.by_peers

    def _peer(self, key: str) -> PeerView | None:
        return self._fetching.origin if key == ORIGIN else self._books.peers.get(key)

    def _check(self, piece: int) -> None:
        if not 0 <= piece < len(self._books.lengths):
            raise RemoteProtocolError(f"piece {piece} of {len(self._books.lengths)}")

    def _set_of(self, pieces: tuple[int, ...]) -> int:
        if len(pieces) > HAVES_MAX:
            raise RemoteProtocolError(f"{len(pieces)} pieces in one message, {HAVES_MAX} allowed")
        found = bitset.named(pieces)
        if found > self._fetching.everything:
            self._check(max(pieces))
        return found
