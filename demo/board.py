"""What the story tells and the view shows: steps, daemons, figures so far."""

import time
from dataclasses import dataclass, field

from .nodes import Node


@dataclass
class Step:
    """One act of the story; times in seconds on the same clock."""

    title: str
    started: float
    detail: str = ""
    ended: float | None = None

    def seconds(self, now: float) -> float:
        """How long it took, or has taken by `now`."""
        return (self.ended or now) - self.started


@dataclass
class Board:
    """Written by the story, read by the view."""

    artifact: str = ""
    """The release being fetched; empty when there is none."""
    artifact_bytes: int = 0
    origin_bytes: int = 0
    """That left the seeder, ever."""
    origin_bytes_before: int = 0
    """The same, when this release was deployed."""
    steps: list[Step] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)

    def begin(self, title: str) -> None:
        """A new step; the one before is done."""
        self.finish()
        self.steps.append(Step(title, time.monotonic()))

    def finish(self) -> None:
        """The current step is done."""
        if self.steps and self.steps[-1].ended is None:
            self.steps[-1].ended = time.monotonic()

    def detail(self, text: str) -> None:
        """How the current step gets on."""
        self.steps[-1].detail = text

    def fetching(self, artifact: str, artifact_bytes: int) -> None:
        """From now on it is about this release."""
        self.artifact, self.artifact_bytes = artifact, artifact_bytes
        self.origin_bytes_before = self.origin_bytes

    @property
    def origin_copies(self) -> float:
        """How many copies of the release left the seeder since it was deployed."""
        return (self.origin_bytes - self.origin_bytes_before) / (self.artifact_bytes or 1)

    def event(self, text: str) -> None:
        """Something worth a line of its own."""
        self.events.append(text)
