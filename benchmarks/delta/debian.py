"""Debian root file systems in the states that releases differ by, each as one normalised tar.

What differs between two machines and not between two releases is taken out: logs, caches, keys that a package made for
itself. Files made while installing carry one fixed time. mmdebstrap does the work; it needs root.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .measuring import ToolError, output_of, run
from .packages import kernels
from .pairs import Pair
from .tools import Tools

SETS: Final = {
    "small": ("systemd", "openssh-server", "python3"),
    "server": (
        "linux-image-amd64", "initramfs-tools", "systemd", "openssh-server", "python3", "nginx", "postgresql",
        "nodejs", "podman", "php-cli", "openjdk-17-jre-headless", "samba-libs", "git", "gcc",
    ),
    "desktop": (
        "linux-image-amd64", "initramfs-tools", "systemd", "openssh-server", "python3", "chromium", "firefox-esr",
        "libreoffice", "gcc", "clang", "xfce4",
    ),
}  # fmt: skip
WEEKLY_SOURCES: Final = ("openssl", "nginx", "python3.11")
"""Their binaries are as first published in the old image of a weekly pair."""
BUILD_EPOCH: Final = "1700000000"
# Below tmp/ mmdebstrap keeps the configuration that ties apt to the new root: whoever deletes that cleans the machine.
_FORGET: Final = """\
cd "$1" && rm -rf var/log/* var/cache/* var/lib/apt/lists/* var/lib/dpkg/*-old etc/machine-id etc/ssh/ssh_host_* \
etc/ssl/private/* var/lib/postgresql/* var/lib/systemd/random-seed etc/apt/preferences.d/*"""


@dataclass(frozen=True)
class State:
    """One state of the archive, and what is installed from it. `held`: sources as first published."""

    suites: tuple[str, ...]
    packages: tuple[str, ...]
    held: tuple[str, ...] = ()


def states(pair: Pair) -> tuple[State, State]:
    """Old and new of a pair of root file systems; ToolError when apt doesn't know Debian's suites."""
    packages = SETS.get(pair.what) or tuple(pair.what.split("+"))
    lines = suites()
    first = {name: line for name, line in lines.items() if "-" not in name}
    if pair.jump == "months":
        return State(tuple(first.values()), packages), State(tuple(lines.values()), packages)
    before, after = kernels()
    images = [[image if one == "linux-image-amd64" else one for one in packages] for image in (before, after)]
    both = tuple(lines.values())
    return State(both, tuple(images[0]), WEEKLY_SOURCES), State(both, tuple(images[1]))


def suites() -> dict[str, str]:
    """The suites of this machine's release that apt is configured for, by name, as lines of a sources.list."""
    own = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    if own is None:
        raise ToolError("this machine's /etc/os-release names no Debian release")
    printed = output_of(["apt-get", "indextargets", "--format", "$(IDENTIFIER) $(RELEASE) $(REPO_URI) $(COMPONENT)"])
    found = {}
    for line in printed.splitlines():
        identifier, suite, place, component = line.split()
        if identifier == "Packages" and component == "main" and suite.partition("-")[0] == own[1]:
            found[suite] = f"deb {place} {suite} {component}"
    if own[1] not in found:
        raise ToolError(f"apt is not configured for {own[1]}, this machine's release: OS pairs need Debian")
    return found


def build(state: State, tools: Tools, archive: Path) -> None:
    """Make the tar of a state; ToolError."""
    if os.geteuid() != 0:
        raise ToolError("a root file system is built by root, for its files have owners: run this as root")
    script = tools.find("mmdebstrap")
    unfinished = archive.with_suffix(".unfinished")
    hooks = [f"--customize-hook={_FORGET}"]
    if state.held:
        names = " ".join(f"src:{name}" for name in state.held)
        suite = next(line.split()[2] for line in state.suites if "-" not in line.split()[2])
        pin = f"Package: {names}\\nPin: release n={suite}\\nPin-Priority: 1001\\n"
        place = '"$1"/etc/apt/preferences.d'
        hooks.append(f'--setup-hook=mkdir -p {place}; printf "{pin}" > {place}/held')
    include = f"--include={','.join(state.packages)}"
    options = ["--mode=root", "--variant=minbase", "--skip=output/dev,cleanup/apt", "--format=tar", "--quiet"]
    environment = tools.environment | {"SOURCE_DATE_EPOCH": BUILD_EPOCH, "DEBIAN_FRONTEND": "noninteractive"}
    run([script, *options, include, *hooks, "", unfinished, *state.suites], environment=environment)
    unfinished.rename(archive)
