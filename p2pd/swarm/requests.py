"""Who was asked for what: the books of one download. Every method keeps both sides (piece and peer) in step."""

from collections.abc import Sequence

from .peerview import PeerView


class Requests:
    """`in_flight`: the set of pieces asked for somewhere; `owners[piece]`: the peers asked, first asked first."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = lengths
        self.in_flight = 0
        self.owners: dict[int, list[PeerView]] = {}
        self.outstanding_bytes = 0

    def __repr__(self) -> str:
        return f"<Requests for {len(self.owners)} pieces>"

    def add(self, peer: PeerView, piece: int, now: float) -> None:
        """`peer` is asked for `piece`."""
        owners = self.owners.get(piece)
        if owners is None:
            self.owners[piece] = [peer]
            self.in_flight |= 1 << piece
        else:
            owners.append(peer)
        peer.requested[piece] = now
        length = self._lengths[piece]
        peer.requested_bytes += length
        self.outstanding_bytes += length

    def remove(self, peer: PeerView, piece: int) -> bool:
        """`peer` owes us `piece` no longer; False if it did not."""
        if piece not in peer.requested:
            return False
        del peer.requested[piece]
        length = self._lengths[piece]
        peer.requested_bytes -= length
        self.outstanding_bytes -= length
        owners = self.owners[piece]
        if len(owners) > 1:
            owners.remove(peer)
        else:  # mostly
            del self.owners[piece]
            self.in_flight ^= 1 << piece
        return True

    def release(self, peer: PeerView) -> list[int]:
        """`peer` owes us nothing any more; which pieces it owed."""
        pieces = list(peer.requested)
        for piece in pieces:
            self.remove(peer, piece)
        return pieces

    def others(self, peer: PeerView, piece: int) -> list[PeerView]:
        """Who else was asked for this piece."""
        return [owner for owner in self.owners.get(piece, ()) if owner is not peer]
