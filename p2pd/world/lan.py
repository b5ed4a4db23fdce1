"""The LAN seam: tell those beside us who we are, and hear who they say they are."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from p2pd.wire.lan import Departed, Notice


class LanMember(Protocol):
    """Our being known on the LAN."""

    async def tell(self, own: Notice) -> None:
        """From now on we say this. OSError when the network refuses."""
        ...

    async def hear(self) -> tuple[str, Notice] | Departed:
        """The next news: a service's name with what it says, or that it went. Ours is among them."""
        ...


class Lan(Protocol):
    """A way to be known. OSError from entering when there is no network to be known on."""

    def join(self, own: Notice) -> AbstractAsyncContextManager[LanMember]:
        """Say `own` and listen, until the block is left (which says goodbye)."""
        ...
