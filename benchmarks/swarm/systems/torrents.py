"""What systems that speak BitTorrent share: the .torrent file and the tracker, opentracker."""

from pathlib import Path
from typing import Final

from benchmarks.swarm.lab import Lab
from benchmarks.swarm.scenarios import SEED, TRACKER
from benchmarks.swarm.torrent import torrent_of

TOOLS: Final = {"opentracker": "opentracker"}
PORT: Final = 6969
SETTLE_S: Final = 2.0
"""From the last daemon's start to the order: the seed has announced itself by then."""


def serve_torrent(lab: Lab, piece_bytes: int) -> Path:
    """Start the tracker; the .torrent file. The seed's home holds the content under its name."""
    torrent = torrent_of(lab.content, f"http://{lab.address(TRACKER)}:{PORT}/announce", piece_bytes)
    file = lab.directory / "content.torrent"
    file.write_bytes(torrent.encoded)
    home = lab.home(TRACKER)
    home.chmod(0o755)  # it becomes `nobody`, with this as its root
    (home / "known").write_text(torrent.info_hash.hex() + "\n")
    (lab.home(SEED) / lab.content.name).hardlink_to(lab.content)
    argv = ["opentracker", "-i", lab.address(TRACKER), "-p", str(PORT), "-P", str(PORT)]
    lab.processes.start(TRACKER, TRACKER, [*argv, "-d", str(home), "-w", "known"])
    return file
