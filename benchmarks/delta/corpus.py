"""From a pair's name to two files on this disk, kept in the cache from run to run."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import debian, images, packages
from .pairs import BadPairError, Pair
from .tools import Tools


@dataclass(frozen=True)
class Files:
    """A pair as it is compared: one file before, one file after."""

    name: str
    old: Path
    new: Path

    @property
    def old_bytes(self) -> int:
        """Size before."""
        return self.old.stat().st_size

    @property
    def new_bytes(self) -> int:
        """Size after."""
        return self.new.stat().st_size


class Corpus:
    """Fetches and keeps. `say` is told of what takes long."""

    def __init__(self, directory: Path, tools: Tools, say: Callable[[str], None]) -> None:
        self._directory, self._tools, self._say = directory, tools, say

    def files(self, pair: Pair) -> Files:
        """The two files of a pair. BadPairError, ToolError, OSError."""
        if pair.kind == "path":
            return Files(pair.name, self._local(pair.old), self._local(pair.new))
        if pair.kind == "os":
            return self._root_files(pair)
        old, new = packages.versions(pair)
        pair = replace(pair, old=old, new=new)
        return Files(pair.name, self._package(pair, old), self._package(pair, new))

    def _local(self, place: str) -> Path:
        """The file itself; of a directory, a tar that is made anew each time."""
        path = Path(place)
        if path.is_file():
            return path
        if not path.is_dir():
            raise BadPairError(f"{place}: no such file or directory")
        archive = self._place(f"path/{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]}.tar")
        images.tar_of(path, archive)
        return archive

    def _package(self, pair: Pair, version: str) -> Path:
        archive = self._place(f"{pair.kind}/{pair.what.replace('/', '+')}/{version}.tar")
        if not archive.exists():
            self._say(f"{pair.name}: fetching {version}")
            tree = archive.with_suffix("")
            for leftover in archive.parent.glob(f"{version}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            packages.unpack(pair, version, tree)
            unfinished = archive.with_suffix(".unfinished")
            images.tar_of(tree, unfinished)
            unfinished.rename(archive)
            for leftover in (tree, tree.with_name(f"{tree.name}.download")):
                shutil.rmtree(leftover, ignore_errors=True)
        return archive

    def _root_files(self, pair: Pair) -> Files:
        tars = []
        for state, when in zip(debian.states(pair), ("old", "new"), strict=True):
            archive = self._place(f"os/{pair.what}@{pair.jump}/{when}.tar")
            if not archive.exists():
                self._say(f"{pair.name}: building the {when} root file system")
                debian.build(state, self._tools, archive)
            tars.append(archive)
        if pair.format == "tar":
            return Files(pair.name, *tars)
        size_bytes = max(archive.stat().st_size for archive in tars)
        made = []
        for archive in tars:
            image = archive.with_suffix(f".{pair.format}")
            if not image.exists():
                self._say(f"{pair.name}: making {image.name}")
                images.image_of(archive, pair.format, self._tools, image, size_bytes=size_bytes)
            made.append(image)
        return Files(pair.name, *made)

    def _place(self, name: str) -> Path:
        place = self._directory / "corpora" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place
