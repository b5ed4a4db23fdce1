"""The names of pairs: what a person types, as a checked value."""

from dataclasses import dataclass
from typing import Final

KINDS: Final = ("wheel", "npm", "deb", "kernel", "os", "path")
FORMATS: Final = ("tar", "ext4", "erofs", "squashfs")
JUMPS: Final = ("months", "weekly")
TREE_FORMAT: Final = "tar"

PAIRS_HELP: Final = """\
pairs:
  wheel:NAME             a wheel's newest two releases; wheel:duckdb==1.3.1..1.3.2 names them
  npm:NAME               an npm package with what it needs; npm:esbuild@0.25.0..0.25.1 names two versions
  deb:OLD..NEW           two Debian packages, unpacked; deb:libssl3=3.0.20-1~deb12u2..libssl3=3.0.22-1~deb12u2
  kernel                 the newest kernel image with its modules, and the one before; kernel:OLD..NEW names packages
  os:SET[@JUMP][/FORMAT] Debian root images. SET: small, server, desktop, or packages as in openssh-server+nginx
                         JUMP: months (the release as first published, then with all updates; default) or
                         weekly (all updates but the newest kernel and three packages, then those too)
                         FORMAT: tar (default), ext4, erofs, squashfs, or all
  path:OLD..NEW          any two local files or directories"""


class BadPairError(ValueError):
    """This is no name of a pair; the message says what would be."""


@dataclass(frozen=True)
class Pair:
    """`what`: the package, or set of packages. `old` and `new`: versions or places; '' for those found at run time."""

    kind: str
    what: str = ""
    old: str = ""
    new: str = ""
    jump: str = ""
    format: str = TREE_FORMAT

    @property
    def name(self) -> str:
        """As a person would type it."""
        match self.kind:
            case "os":
                return f"os:{self.what}@{self.jump}/{self.format}"
            case "wheel" | "npm":
                mark = "==" if self.kind == "wheel" else "@"
                return f"{self.kind}:{self.what}" + (f"{mark}{self.old}..{self.new}" if self.old else "")
            case _:
                return self.kind + (f":{self.old}..{self.new}" if self.old else "")


def parse_pairs(text: str) -> list[Pair]:
    """The pairs of one word: `os:small/all` are four. BadPairError."""
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise BadPairError(f"{text!r} is no pair: it begins with none of {', '.join(KINDS)}")
    if kind == "os":
        return _os_pairs(text, rest)
    if kind in ("wheel", "npm"):
        return [_package_pair(text, kind, rest)]
    if kind == "kernel" and not rest:
        return [Pair(kind)]
    return [Pair(kind, "", *_two(text, rest))]


def _two(text: str, rest: str) -> tuple[str, str]:
    old, dots, new = rest.partition("..")
    if not (dots and old and new):
        raise BadPairError(f"{text!r}: expected OLD..NEW")
    return old, new


def _package_pair(text: str, kind: str, rest: str) -> Pair:
    mark = "==" if kind == "wheel" else "@"
    at = rest.find(mark, 1)  # an npm scope begins with one
    if at < 0:
        if not rest:
            raise BadPairError(f"{text!r}: which package?")
        return Pair(kind, rest)
    return Pair(kind, rest[:at], *_two(text, rest[at + len(mark) :]))


def _os_pairs(text: str, rest: str) -> list[Pair]:
    what, _, form = rest.partition("/")
    what, _, jump = what.partition("@")
    jump, form = jump or JUMPS[0], form or TREE_FORMAT
    if not what:
        raise BadPairError(f"{text!r}: which packages?")
    if jump not in JUMPS:
        raise BadPairError(f"{text!r}: the jump is one of {', '.join(JUMPS)}, not {jump!r}")
    if form not in (*FORMATS, "all"):
        raise BadPairError(f"{text!r}: the format is one of {', '.join(FORMATS)} or all, not {form!r}")
    return [Pair("os", what, jump=jump, format=one) for one in (FORMATS if form == "all" else (form,))]
