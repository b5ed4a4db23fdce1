"""Whatever happens in whatever order, the brain's books agree and it keeps asking for what it misses.

Invariant: a request is in the books of its piece, of its peer and of the whole alike; nobody is asked for what is
present, nor two for one piece unless the second was idle; nothing is said to strangers; while something is missing and
nobody paused, a timer is set.
"""

from math import inf, isfinite

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from p2pd.policy.hedging import COPIES_MAX, WAITED_S_MIN
from p2pd.policy.sources import Tier
from p2pd.swarm import ORIGIN, Fetch, Send, Serve
from p2pd.swarm.actions import Withdraw
from p2pd.swarm.peerview import PeerView
from p2pd.wire import bits
from p2pd.wire.messages import Cancel, Have, Lost, Reject, Request, Want

from .driver import PIECE_BYTES, Driver

PIECES = 12
KEYS = st.sampled_from(["a", "b", "c", "d"])
PIECE = st.integers(0, PIECES - 1)
SOME = st.sets(PIECE, max_size=PIECES)
TIERS = st.sampled_from([Tier.LAN, Tier.REGION, Tier.REMOTE, Tier.SHIELD])


class AnyOrder(RuleBasedStateMachine):
    """Peers come, go, speak, bring, lie; time passes; a person pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.swarm = Driver(0)
        self.here: dict[str, None] = {}
        self.verifying: list[tuple[str, int]] = []
        self.paused = False

    @initialize(rng_seed=st.integers(0, 99), present=SOME, super_seeding=st.booleans())
    def begin(self, rng_seed: int, present: set[int], super_seeding: bool) -> None:
        self.swarm = Driver(PIECES, bits.of(present), rng_seed=rng_seed, super_seeding=super_seeding)

    # -- what happens -------------------------------------------------------------------------------------------

    @rule(key=KEYS, held=SOME, tier=TIERS)
    def a_peer_joins(self, key: str, held: set[int], tier: Tier) -> None:
        if key not in self.here:
            self.here[key] = None
            self.done(lambda: self.swarm.brain.add_peer(key, tier, bits.of(held), self.swarm.now))

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def a_peer_leaves(self, data: st.DataObject) -> None:
        key = self.someone(data)
        del self.here[key]
        self.done(lambda: self.swarm.brain.remove_peer(key, self.swarm.now))

    @precondition(lambda self: self.here)
    @rule(data=st.data(), kind=st.sampled_from([Have, Lost, Want]), pieces=SOME)
    def a_peer_tells(self, data: st.DataObject, kind: type[Have], pieces: set[int]) -> None:
        self.says(self.someone(data), kind(0, tuple(sorted(pieces))))

    @precondition(lambda self: self.here)
    @rule(data=st.data(), piece=PIECE, message=st.sampled_from(["request", "cancel", "busy", "gone", "choked"]))
    def a_peer_asks_or_refuses(self, data: st.DataObject, piece: int, message: str) -> None:
        kinds = {"request": Request(0, piece), "cancel": Cancel(0, piece)}
        self.says(self.someone(data), kinds.get(message, Reject(0, piece, message)))  # type: ignore[arg-type]

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def a_piece_comes(self, data: st.DataObject) -> None:
        key = self.someone(data)
        expected = [piece for piece in range(PIECES) if self.swarm.brain.expects(key, piece)]
        if expected:
            self.comes(key, data.draw(st.sampled_from(expected)))

    @rule(piece=PIECE)
    def http_brings(self, piece: int) -> None:
        if piece in self.origin.requested:
            self.comes(ORIGIN, piece)

    @rule(piece=PIECE)
    def http_fails(self, piece: int) -> None:
        if piece in self.origin.requested:
            self.done(lambda: self.swarm.brain.failed(ORIGIN, piece, self.swarm.now))

    @precondition(lambda self: self.verifying)
    @rule(outcome=st.sampled_from(["stored", "stored", "corrupt", "failed"]))
    def a_piece_is_verified(self, outcome: str) -> None:
        key, piece = self.verifying.pop(0)
        brain, now = self.swarm.brain, self.swarm.now
        deeds = {
            "stored": lambda: brain.stored(piece, now),
            "corrupt": lambda: brain.corrupt(key, piece, now),
            "failed": lambda: brain.failed(key, piece, now),
        }
        self.done(deeds[outcome])

    @rule(piece=PIECE)
    def a_piece_is_lost(self, piece: int) -> None:
        if self.swarm.brain.present >> piece & 1:
            self.done(lambda: self.swarm.brain.lose(piece, self.swarm.now))

    @precondition(lambda self: self.here)
    @rule(data=st.data(), piece=PIECE)
    def a_piece_leaves(self, data: st.DataObject, piece: int) -> None:
        key = self.someone(data)
        self.done(lambda: self.swarm.brain.sent(key, piece, self.swarm.now))

    @rule(usable=st.booleans())
    def http_is_there_or_not(self, usable: bool) -> None:
        self.done(lambda: self.swarm.brain.use_origin(usable, self.swarm.now))

    @rule()
    def a_person_pauses(self) -> None:
        self.paused = True
        self.done(self.swarm.brain.pause)

    @rule()
    def a_person_resumes(self) -> None:
        self.paused = False
        self.done(lambda: self.swarm.brain.resume(self.swarm.now))

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 4.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.swarm.wait(seconds, self.check_deeds)

    # -- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def the_books_agree(self) -> None:
        requests = self.swarm.brain._fetching.requests
        by_peer = {(peer.key, piece) for peer in self.views for piece in peer.requested}
        by_piece = {(peer.key, piece) for piece, peers in requests.owners.items() for peer in peers}
        assert by_peer == by_piece
        assert requests.in_flight == bits.of(requests.owners)
        assert requests.outstanding_bytes == PIECE_BYTES * len(by_peer)
        assert all(peer.requested_bytes == PIECE_BYTES * len(peer.requested) for peer in self.views)

    @invariant()
    def availability_is_what_the_peers_hold(self) -> None:
        books = self.swarm.brain._books
        for found, shield in ((books.by_peers, False), (books.by_shields, True)):
            held = [peer.bits for peer in books.peers.values() if (peer.tier is Tier.SHIELD) is shield]
            assert list(found.counts) == [sum(one >> piece & 1 for one in held) for piece in range(len(found.counts))]
            assert found.held == bits.of(piece for piece, count in enumerate(found.counts) if count)

    @invariant()
    def a_timer_is_set_while_something_is_missing(self) -> None:
        if self.swarm.brain._fetching.missing and not self.paused:
            assert isfinite(self.swarm.brain.next_timer())

    @invariant()
    def nothing_is_asked_for_while_paused(self) -> None:
        assert not self.paused or not any(peer.requested for peer in self.views)

    @invariant()
    def its_words_can_be_read(self) -> None:
        seen = self.swarm.brain.snapshot(self.swarm.now)
        assert seen.complete == (seen.present == PIECES and not self.verifying) or not self.swarm.pieces
        assert seen.eta_s == inf or seen.eta_s >= 0

    # -- help ---------------------------------------------------------------------------------------------------

    @property
    def origin(self) -> PeerView:
        return self.swarm.brain._fetching.origin

    @property
    def views(self) -> list[PeerView]:
        return [*self.swarm.brain._books.peers.values(), self.origin]

    def someone(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(list(self.here)))

    def says(self, key: str, message: Have | Lost | Want) -> None:
        self.done(lambda: self.swarm.brain.receive(key, message, self.swarm.now))

    def comes(self, key: str, piece: int) -> None:
        def arrives() -> None:
            self.swarm.brain.arrived(key, PIECE_BYTES, self.swarm.now)
            if self.swarm.brain.delivered(key, piece, self.swarm.now):
                self.verifying.append((key, piece))

        self.done(arrives)

    def done(self, deed: object) -> None:
        assert callable(deed)
        deed()
        self.swarm.settle()
        self.check_deeds()

    def check_deeds(self) -> None:
        """Deeds since the last look: to whom, and for what."""
        deeds, self.swarm.deeds = self.swarm.deeds, []
        owners = self.swarm.brain._fetching.requests.owners
        for deed in deeds:
            if isinstance(deed, Send | Serve | Withdraw):
                assert deed.peer in self.here
            piece = deed.piece if isinstance(deed, Fetch) else None
            if isinstance(deed, Send) and isinstance(deed.message, Request):
                piece = deed.message.piece
            if piece is not None:
                assert not self.paused
                assert not self.swarm.brain.present >> piece & 1
                earlier = sorted(peer.requested[piece] for peer in owners.get(piece, ()))[:-1]
                assert sum(at > self.swarm.now - WAITED_S_MIN for at in earlier) < COPIES_MAX


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
