"""The seams: everything that the daemon takes from outside, as a value that is passed in.

`World` is what `service.run` is given. `p2pd.world.real` is the machine; the simulator has its own.
Monotonic time is always `trio.current_time()`, so that a virtual clock governs it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

from p2pd.policy.citizenship import Here

if TYPE_CHECKING:
    import httpx

    from .disk import Disk
    from .lan import Lan
    from .network import Network
    from .processes import Processes
    from .rtc import Rtc

T = TypeVar("T")
Args = TypeVarTuple("Args")


class RunBlocking(Protocol):
    """Runs a blocking function without stopping the world (a thread; in simulation inline, charged in virtual time)."""

    def __call__(self, function: Callable[[*Args], T], *args: *Args) -> Awaitable[T]:
        """The function's result, or its exception."""
        ...


@dataclass(frozen=True)
class World:
    """What there is outside the daemon."""

    network: "Network"
    disk: "Disk"
    processes: "Processes"
    http: "Callable[[], httpx.AsyncClient]"
    utc_now: Callable[[], float]
    """Civil time, seconds since 1970; may be wrong. Never for durations."""
    rng: Random
    run_blocking: RunBlocking
    lan: "Callable[[], Lan] | None" = None
    """Loads what it takes to be known on the LAN; None where there is none."""
    rtc: "Callable[[tuple[str, ...]], Rtc] | None" = None
    """Loads WebRTC, given STUN servers; None where there is none."""
    look: Callable[[], Here] = Here
    """Sees where the machine is. Blocks."""
    coalesce: Callable[[float], None] | None = None
    """Lets what comes within the next second be seen so many seconds late, many things at once; None: never."""
    _root: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_root", root_of(self.rng))

    def dice(self, purpose: str) -> Random:
        """A stream of its own for this purpose: what others draw changes nothing in it."""
        return stream(self._root, purpose)


def root_of(rng: Random) -> int:
    """What further streams are derived from: a look at what these dice would show, which they still will."""
    glimpse = Random()
    glimpse.setstate(rng.getstate())
    return glimpse.getrandbits(64)


def stream(root: int, purpose: str) -> Random:
    """Dice for one purpose."""
    return Random(f"{root}/{purpose}")
