"""Where the other tools come from: the machine, or Debian packages unpacked into the cache.

Nothing is installed: apt fetches the packages that this machine lacks, and they are unpacked beside the corpora.
"""

import os
import platform
import shutil
from pathlib import Path
from typing import Final

from .measuring import ToolError, run

PACKAGES: Final = {
    "casync": "casync",
    "zck": "zchunk",
    "zckdl": "zchunk",
    "unzck": "zchunk",
    "xdelta3": "xdelta3",
    "bsdiff": "bsdiff",
    "bspatch": "bsdiff",
    "zstd": "zstd",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "mkfs.erofs": "erofs-utils",
    "mksquashfs": "squashfs-tools",
}
"""Which Debian package holds a command."""
_BINARIES: Final = ("usr/bin", "usr/sbin", "bin", "sbin")


class MissingToolError(ToolError):
    """A tool is neither here nor to be had."""


class Tools:
    """Commands by name. `directory` keeps what was unpacked."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, command: str) -> Path:
        """A command's path; fetched when it isn't there yet. MissingToolError."""
        found = self._look(command)
        if found is None:
            self._unpack(PACKAGES[command])
            found = self._look(command)
        if found is None:
            raise MissingToolError(f"the package {PACKAGES[command]} has no {command}")
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let unpacked commands find one another and their libraries."""
        triplet = f"{platform.machine()}-linux-gnu"
        libraries = [str(self._directory / "root" / name / triplet) for name in ("usr/lib", "lib")]
        binaries = [str(self._directory / "root" / name) for name in _BINARIES]
        return {
            "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *binaries]),
            "LD_LIBRARY_PATH": os.pathsep.join(filter(None, [os.environ.get("LD_LIBRARY_PATH", ""), *libraries])),
        }

    def _look(self, command: str) -> Path | None:
        found = shutil.which(command, path=self.environment["PATH"])
        return Path(found) if found else None

    def _unpack(self, package: str) -> None:
        archives = self._directory / "apt" / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        before = set(archives.glob("*.deb"))
        options = ["-o", f"Dir::Cache={self._directory / 'apt'}", "-o", "Debug::NoLocking=1", "-qq", "--yes"]
        try:
            run(["apt-get", *options, "--download-only", "--no-install-recommends", "install", package])
        except (ToolError, OSError) as error:
            raise MissingToolError(
                f"{package} is not installed and apt does not bring it (try `apt-get update`): {error}"
            ) from None
        for archive in sorted(set(archives.glob("*.deb")) - before):
            run(["dpkg-deb", "--extract", archive, self._directory / "root"])
