"""Where everything of one artifact lies, and how to do away with it."""

import os

from p2pd.world.disk import Disk

from .record import Record


class Places:
    """Paths below the state directory, and beside a destination."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.lock = f"{directory}/lock"
        self.manifests = f"{directory}/manifests"
        self.journals = f"{directory}/journals"
        self.records = f"{directory}/artifacts"
        self.directories = (directory, self.manifests, self.journals, self.records)

    def manifest(self, swarm: bytes) -> str:
        """The manifest's bytes."""
        return f"{self.manifests}/{swarm.hex()}"

    def journal(self, swarm: bytes) -> str:
        """The journal."""
        return f"{self.journals}/{swarm.hex()}"

    def record(self, swarm: bytes) -> str:
        """The record."""
        return f"{self.records}/{swarm.hex()}"

    def staging(self, swarm: bytes, destination: str) -> str:
        """The directory that the artifact is put together in: beside its destination, so that a rename suffices."""
        return f"{os.path.dirname(destination)}/.staging-{swarm.hex()[:16]}"

    def trash(self, swarm: bytes, destination: str) -> str:
        """What a finished artifact is renamed to before it is deleted. If it exists, the rename has happened."""
        return f"{os.path.dirname(destination)}/.removed-{swarm.hex()[:16]}"

    def discard(self, disk: Disk, swarm: bytes, record: Record, *, finished: bool) -> None:
        """Everything of it, the record last. What is at the destination vanishes at once and is deleted afterwards;
        what was written in place stays where it is."""
        if record.in_place:
            self.forget(disk, swarm)
            return
        trash = self.trash(swarm, record.destination)
        if finished and disk.stat(trash) is None and disk.stat(record.destination) is not None:
            disk.rename(record.destination, trash)
        disk.remove_tree(trash)
        disk.remove_tree(record.staging)
        if disk.stat(parent := os.path.dirname(record.destination)) is not None:
            disk.sync(parent)
        self.forget(disk, swarm)

    def forget(self, disk: Disk, swarm: bytes) -> None:
        """What the state directory knows of it; files at the destination stay."""
        disk.remove_tree(self.journal(swarm))
        disk.remove_tree(self.manifest(swarm))
        disk.remove_tree(self.record(swarm))
        disk.sync(self.records)
