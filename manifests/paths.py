"""Which paths a release may hold. The same check guards publishing, decoding and unpacking.

The rule for symlinks is stricter than "lexically inside": `..` only at the start of a target. A target that climbs
first and then only descends climbs real directories (every parent is a directory entry, never a link) and then goes
through links that keep the same rule, so by induction it ends inside. `d/e/up -> ../..` and `out -> d/e/up/..` are each
lexically inside and yet together escape; CVE-2021-32803 and its kin in archive tools are of this sort.
"""

import unicodedata
from collections.abc import Sequence

from .entries import DIRECTORY, FILE, SYMLINK, Entry
from .errors import UnsafePathError
from .limits import COMPONENT_BYTES_MAX, ENTRIES_MAX, PATH_BYTES_MAX, STREAM_BYTES_MAX

_PERMISSION_BITS = 0o777
_MTIME_NS_LIMIT = 2**63
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's Bidi_Control: `txt.exe` shows as `exe.txt` after one of them (CVE-2021-42574 and its kin)."""


def check_path(path: str) -> tuple[str, ...]:
    """The path's components; UnsafePathError unless it is relative, `/`-separated, plain and short enough."""
    if not path:
        raise UnsafePathError("a path is empty")
    if path.startswith("/"):
        raise UnsafePathError(f"{path!r} is absolute; paths are relative to the release")
    _check_text(path, path)
    components = tuple(path.split("/"))
    for component in components:
        if component in ("", ".", ".."):
            raise UnsafePathError(f"{path!r} has the component {component!r}")
        if len(component.encode()) > COMPONENT_BYTES_MAX:
            raise UnsafePathError(f"{path[:80]!r}… has a name of more than {COMPONENT_BYTES_MAX} bytes")
    return components


def check_symlink(path: str, target: str) -> None:
    """UnsafePathError unless a symlink at `path` to `target` never leaves the release, whatever links it meets."""
    link = f"symlink {path!r} -> {target!r}"
    if not target:
        raise UnsafePathError(f"{link} points nowhere")
    if target.startswith("/"):
        raise UnsafePathError(f"{link} is absolute; make it relative to its directory")
    _check_text(target, link)
    components = [component for component in target.split("/") if component != "."]
    climbs = 0
    while climbs < len(components) and components[climbs] == "..":
        climbs += 1
    if climbs > path.count("/"):
        raise UnsafePathError(f"{link} leaves the release")
    if ".." in components[climbs:]:
        raise UnsafePathError(f"{link} goes down and up again; write it without the detour")
    if "" in components:
        raise UnsafePathError(f"{link} has an empty component")


def check_entries(entries: Sequence[Entry], *, tree: bool) -> None:
    """UnsafePathError unless these can be laid down safely, in this order, on any file system of ours.

    A tree is sorted by path components, without duplicates, each parent an earlier directory. An artifact that is no
    tree is one file with a plain name.
    """
    if len(entries) > ENTRIES_MAX:
        raise UnsafePathError(f"{len(entries)} paths, at most {ENTRIES_MAX} are allowed")
    if not tree and (len(entries) != 1 or entries[0].kind != FILE or "/" in entries[0].path):
        raise UnsafePathError("an artifact that is no tree is exactly one file with a plain name")
    _check_distinct([entry.path for entry in entries])
    directories: set[tuple[str, ...]] = {()}
    before: tuple[str, ...] = ()
    for entry in entries:
        components = check_path(entry.path)
        if components <= before:
            fault = "appears twice" if components == before else "is out of order"
            raise UnsafePathError(f"{entry.path!r} {fault}")
        if components[:-1] not in directories:
            raise UnsafePathError(f"{entry.path!r} lies in no directory of this release")
        check_attributes(entry)
        if entry.kind == DIRECTORY:
            directories.add(components)
        before = components


def _check_distinct(paths: Sequence[str]) -> None:
    """No two are the same name in other code points: a file system that normalises would hold one of them only."""
    if all(path.isascii() for path in paths):
        return
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(unicodedata.normalize("NFC", path), path)
        if other != path:
            raise UnsafePathError(f"{path!a} and {other!a} are the same name in other code points")


def check_attributes(entry: Entry) -> None:
    """UnsafePathError unless all but the entry's path is such as a release may hold."""
    if entry.kind not in (FILE, DIRECTORY, SYMLINK):
        raise UnsafePathError(f"{entry.path!r} is a {entry.kind}; only files, directories and symlinks are released")
    if entry.mode & ~_PERMISSION_BITS:
        raise UnsafePathError(f"{entry.path!r} has mode {entry.mode:o}: setuid, setgid and sticky are not released")
    if not -_MTIME_NS_LIMIT <= entry.mtime_ns < _MTIME_NS_LIMIT:
        raise UnsafePathError(f"{entry.path!r} has a modification time out of range")
    if not 0 <= entry.size <= STREAM_BYTES_MAX or (entry.size and entry.kind != FILE):
        raise UnsafePathError(f"{entry.path!r} ({entry.kind}) can't have {entry.size} bytes")
    if entry.kind == SYMLINK:
        check_symlink(entry.path, entry.target)
    elif entry.target:
        raise UnsafePathError(f"{entry.path!r} ({entry.kind}) can't have a target")


def _check_text(text: str, shown: str) -> None:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise UnsafePathError(f"{shown!a} is not UTF-8") from None
    if len(encoded) > PATH_BYTES_MAX:
        raise UnsafePathError(f"{shown[:80]!r}… is longer than {PATH_BYTES_MAX} bytes")
    if not text.isprintable() and any(map(_is_control, text)):
        raise UnsafePathError(f"{shown!a} has control characters")


def _is_control(character: str) -> bool:
    """Line breaks of all sorts, and what turns the direction of writing: a name must look like what it is."""
    return unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in _DIRECTIONS
