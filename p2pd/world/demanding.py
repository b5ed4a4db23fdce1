"""A network on which only some are spoken to: a host can't pass itself off as a tracker."""

from collections.abc import Iterable, Set
from typing import Final

from .network import Listener, Network, Stream, UnprovenError

TRACKERS: Final = frozenset({"tracker"})
SEEDERS: Final = frozenset({"seeder"})


class Demanding:
    """`network`, of which nobody is dialled but who proves to have one of these roles. Where nothing can be proven
    (the network was chosen to be insecure) nothing is demanded."""

    def __init__(self, network: Network, roles: Set[str]) -> None:
        self._network, self._roles = network, roles
        self.url_scheme = network.url_scheme

    def __repr__(self) -> str:
        return f"<Demanding {', '.join(sorted(self._roles))} of {self._network!r}>"

    async def dial(self, address: str) -> Stream:
        """As the network; UnprovenError for anybody else."""
        stream = await self._network.dial(address)
        identity = stream.identity
        if identity.proven and identity.role not in self._roles:
            await stream.aclose()
            demanded = " or ".join(sorted(self._roles))
            raise UnprovenError(f"{address} should be a {demanded}, its certificate says {identity.role}")
        return stream

    async def listen(self, address: str, *, strangers: bool = False) -> Listener:
        """As the network."""
        return await self._network.listen(address, strangers=strangers)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """As the network."""
        return self._network.revoke(lists)
