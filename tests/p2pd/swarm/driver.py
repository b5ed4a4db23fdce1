"""A brain driven by hand: told the time, its deeds gathered and, where asked, answered as peers would."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from p2pd.policy.sources import Tier
from p2pd.swarm import Drop, Fetch, Send, Serve, Swarm
from p2pd.swarm.actions import Action
from p2pd.wire import bits
from p2pd.wire.messages import AnyMessage, Cancel, Have, Request

PIECE_BYTES = 1000
Deed = TypeVar("Deed", bound=AnyMessage)


class Driver:
    """One `Swarm` of `pieces` pieces and the clock. `deeds` is all that it ever wanted done."""

    def __init__(
        self,
        pieces: int,
        present: int = 0,
        *,
        rng_seed: int = 1,
        super_seeding: bool = False,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self.now = 0.0
        self.pieces, self.piece_bytes = pieces, piece_bytes
        self.brain = Swarm([piece_bytes] * pieces, present, rng=Random(rng_seed), now=0.0, super_seeding=super_seeding)
        self.deeds: list[Action] = []

    def settle(self) -> list[Action]:
        """Gather what it wants done now."""
        fresh = []
        while (action := self.brain.next_action()) is not None:
            fresh.append(action)
        self.deeds += fresh
        return fresh

    def peer(self, key: str, held: int | None = None, tier: Tier = Tier.REGION) -> None:
        """A neighbour, with everything unless told otherwise."""
        self.brain.add_peer(key, tier, bits.full(self.pieces) if held is None else held, self.now)
        self.settle()

    def say(self, key: str, message: AnyMessage) -> list[Action]:
        """A neighbour says this."""
        self.brain.receive(key, message, self.now)
        return self.settle()

    def bring(self, key: str, piece: int) -> bool:
        """A neighbour's (or the origin's) piece arrives and is stored at once; False if it was there already."""
        self.brain.arrived(key, self.piece_bytes, self.now)
        fresh = self.brain.delivered(key, piece, self.now)
        if fresh:
            self.brain.stored(piece, self.now)
        self.settle()
        return fresh

    def wait(self, seconds: float, meanwhile: Callable[[], None] | None = None) -> None:
        """Time passes; timers are called when due, and `meanwhile` after each."""
        until = self.now + seconds
        while (timer := max(self.now, self.brain.next_timer())) <= until:
            self.now = timer
            self.brain.handle_timer(timer)
            self.settle()
            if meanwhile is not None:
                meanwhile()
        self.now = until

    def sent(self, kind: type[Deed], key: str | None = None) -> list[Deed]:
        """The messages of a kind that it sent, to one neighbour or all."""
        sends = (send for send in self.sends() if key in (None, send.peer))
        return [send.message for send in sends if isinstance(send.message, kind)]

    def sends(self) -> list[Send]:
        """All that it sent, in order."""
        return [deed for deed in self.deeds if isinstance(deed, Send)]

    def asked(self, key: str | None = None) -> list[int]:
        """The pieces asked for, in order."""
        return [request.piece for request in self.sent(Request, key)]

    def owed(self, key: str) -> list[int]:
        """Asked of this neighbour and neither taken back nor here."""
        back = {cancel.piece for cancel in self.sent(Cancel, key)}
        return [piece for piece in self.asked(key) if piece not in back and not self.brain.present >> piece & 1]

    def owed_first(self, key: str) -> int:
        """Of these the one asked for first."""
        return next(piece for piece in self.asked(key) if not self.brain.present >> piece & 1)

    def named(self, key: str | None = None) -> list[int]:
        """The pieces named by `Have`, in order."""
        return [piece for have in self.sent(Have, key) for piece in have.pieces]

    def fetched(self) -> list[int]:
        """The pieces that HTTP was asked for."""
        return [deed.piece for deed in self.deeds if isinstance(deed, Fetch)]

    def dropped(self) -> list[str]:
        """The neighbours given up."""
        return [deed.peer for deed in self.deeds if isinstance(deed, Drop)]

    def served(self) -> list[tuple[str, int]]:
        """The pieces promised, and to whom."""
        return [(deed.peer, deed.piece) for deed in self.deeds if isinstance(deed, Serve)]

    def serve_all(self, *keys: str) -> None:
        """These neighbours bring all that they owe."""
        while owed := [(key, piece) for key in keys for piece in self.owed(key)]:
            for key, piece in owed:
                self.bring(key, piece)
