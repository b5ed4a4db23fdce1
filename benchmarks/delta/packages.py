"""Two releases of a wheel, an npm package or a Debian package, by the machine's own package managers."""

import json
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .measuring import ToolError, output_of, run
from .pairs import BadPairError, Pair

KERNEL: Final = "linux-image-amd64"


def versions(pair: Pair) -> tuple[str, str]:
    """Old and new as the pair names them, or as the registry does at this moment. BadPairError, ToolError."""
    if pair.old:
        return pair.old, pair.new
    match pair.kind:
        case "wheel":
            found = _wheel_versions(pair.what)
        case "npm":
            found = json.loads(output_of(["npm", "view", pair.what, "versions", "--json"]))
        case _:
            return kernels()
    return latest_two(pair.name, found)


def latest_two(name: str, known: Sequence[str]) -> tuple[str, str]:
    """The newest two releases that differ in the patch level only; else the newest two. BadPairError."""
    ordered = sorted((_numbers(one), one) for one in known if re.fullmatch(r"[\d.]+", one))
    for (before, old), (after, new) in zip(ordered[-2::-1], ordered[:0:-1], strict=False):
        if before[:2] == after[:2] and len(after) > 2:
            return old, new
    if len(ordered) < 2:
        raise BadPairError(f"{name}: fewer than two releases are to be had: {', '.join(known) or 'none'}")
    return ordered[-2][1], ordered[-1][1]


def unpack(pair: Pair, version: str, tree: Path) -> None:
    """Put the files of one release below `tree`. ToolError."""
    downloads = tree.with_name(f"{tree.name}.download")
    downloads.mkdir(parents=True, exist_ok=True)
    match pair.kind:
        case "wheel":
            _unpack_wheel(pair.what, version, downloads, tree)
        case "npm":
            _unpack_npm(pair.what, version, tree)
        case _:
            _unpack_deb(version, downloads, tree)


def _wheel_versions(name: str) -> list[str]:
    printed = output_of([sys.executable, "-m", "pip", "index", "versions", name, "--disable-pip-version-check"])
    line = next((line for line in printed.splitlines() if line.startswith("Available versions:")), "")
    return [one.strip() for one in line.partition(":")[2].split(",") if one.strip()][::-1]


def _unpack_wheel(name: str, version: str, downloads: Path, tree: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--disable-pip-version-check", "--dest", downloads, f"{name}=={version}"])
    (wheel,) = downloads.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree)


def _unpack_npm(name: str, version: str, tree: Path) -> None:
    """With its dependencies, for some packages are a few lines that load the real one for this machine."""
    tree.mkdir(parents=True)
    (tree / "package.json").write_text("{}\n")
    quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--omit=dev"]
    run(["npm", "install", "--prefix", tree, *quiet, f"{name}@{version}"])


def _unpack_deb(package: str, downloads: Path, tree: Path) -> None:
    run(["apt-get", "download", "-qq", package], directory=downloads)
    (archive,) = downloads.glob("*.deb")
    run(["dpkg-deb", "--extract", archive, tree])


def kernels() -> tuple[str, str]:
    """The kernel image that apt's metapackage brings, and the one before it."""
    image = re.findall(r"Depends: (linux-image-\S+)", output_of(["apt-cache", "depends", KERNEL]))
    if not image:
        raise ToolError(f"apt knows no {KERNEL}: run `apt-get update`, or name two packages: kernel:OLD..NEW")
    series = re.escape(re.sub(r"\d+-amd64$", "", image[0])) + r"\d+-amd64"
    known = [one for one in output_of(["apt-cache", "pkgnames", KERNEL[:12]]).split() if re.fullmatch(series, one)]
    ordered = sorted(known, key=_numbers)
    at = ordered.index(image[0])
    if at == 0:
        raise ToolError(f"apt knows no kernel before {image[0]}: name two packages: kernel:OLD..NEW")
    return ordered[at - 1], ordered[at]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
