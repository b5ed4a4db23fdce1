"""Lets Python find the compiled modules of one group, all of them or none."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from sim.kept import cache, is_private

from .group import SUFFIX, Group, module_of


class Finder(MetaPathFinder):
    """Knows the files of some modules, before everybody else is asked."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def __repr__(self) -> str:
        return f"<Finder of {len(self._files)} modules>"

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As importlib asks."""
        file = self._files.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def compiled() -> bool:
    """The brains of this process, at least, are machine code, or will be when they are imported."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def files_of(group: Group, folder: Path) -> dict[str, Path] | None:
    """Of all compiled modules, by name; None if this is no whole folder of them, or not ours alone."""
    names = [group.library, *map(module_of, group.compiled_files())]
    files = {name: folder / (name.replace(".", "/") + SUFFIX) for name in names}
    if not (is_private(folder.parent) and is_private(folder)) or not all(file.exists() for file in files.values()):
        return None
    return files


def found(group: Group) -> dict[str, Path] | None:
    """The files for these very sources, if somebody compiled them here."""
    base = cache(group.cache)
    return files_of(group, base / group.digest()) if base is not None else None


def serve(group: Group) -> bool:
    """From now on import the compiled modules of a group, if there are some for these very sources and none was
    imported as source: the two never mix. True if so, or if another group, which has the brains too, was served."""
    if compiled():
        return True
    if any(module_of(name) in sys.modules for name in group.compiled_files()):
        return False
    files = found(group)
    if files is None:
        return False
    finder = Finder(files)
    sys.meta_path.insert(0, finder)
    try:
        import_module(group.library)
    except ImportError:  # made for another machine, or damaged: then as if it were not there
        sys.meta_path.remove(finder)
        return False
    return True
