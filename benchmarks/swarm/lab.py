"""What the measurement wants of a system, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.links import Network, Processes

from .scenarios import Scenario


@dataclass(frozen=True)
class Lab:
    """Where one run takes place. `content`: the file to be brought to every peer. `directory` is empty at first."""

    scenario: Scenario
    network: Network
    processes: Processes
    directory: Path
    content: Path

    def address(self, host: str) -> str:
        """Of a host, without a port."""
        return self.network.plan.address(host)

    def home(self, host: str) -> Path:
        """A host's own directory."""
        place = self.directory / host
        place.mkdir(exist_ok=True)
        return place

    @property
    def peers(self) -> tuple[str, ...]:
        """All of them, the odd one too."""
        return tuple(peer.name for peer in self.scenario.peers)


class System(Protocol):
    """A system in a lab. A process that belongs to a host alone has the host's name."""

    tools: Mapping[str, str]
    """Commands that it needs, with their Debian packages."""

    def start(self) -> None:
        """Prepare what is needed and start everything; returns when all wait for the order, the seed serving."""
        ...

    def go(self) -> None:
        """The order to fetch, to all peers."""
        ...

    def finished(self, peer: str) -> bool:
        """Is the whole content there, checked as this system does? Cheap: asked fifty times a second."""
        ...

    def restart(self, peer: str) -> None:
        """Start a peer that was killed, on what it left; it goes on by itself."""
        ...

    def notes(self) -> dict[str, object]:
        """Version, settings, and what it says of itself at the end."""
        ...
