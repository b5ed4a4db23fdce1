"""nginx and curl: everybody fetches everything from the seed. What a fleet pays without a swarm."""

import os
import subprocess
from collections.abc import Mapping
from typing import Final

from benchmarks.swarm.scenarios import SEED

from .system import Lab

TOOLS: Final = {"nginx": "nginx-light", "curl": "curl"}
CONFIG: Final = """\
daemon off; worker_processes 1; pid {home}/pid; user root; error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; sendfile_max_chunk 512k; tcp_nopush on;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{ listen 80; root {root}; }}
}}
"""


class Nginx:
    """See `System`."""

    tools: Mapping[str, str] = TOOLS

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def start(self) -> None:
        """The server; clients are no daemons."""
        home = self._lab.home(SEED)
        config = home / "nginx.conf"
        config.write_text(CONFIG.format(home=home, root=self._lab.content.parent))
        self._lab.processes.start(SEED, SEED, ["nginx", "-e", "stderr", "-c", str(config)])
        self._lab.processes.run(SEED, ["curl", "-sfI", "--retry", "20", "--retry-connrefused", "http://127.0.0.1/"
                                       + self._lab.content.name])  # fmt: skip

    def go(self) -> None:
        """A client each."""
        for peer in self._lab.peers:
            self.restart(peer)

    def finished(self, peer: str) -> bool:
        """Did the client end well?"""
        process = self._lab.processes.all[peer]
        return not process.running and process.child.returncode == 0

    def restart(self, peer: str) -> None:
        """Go on where the file ends."""
        url = f"http://{self._lab.address(SEED)}/{self._lab.content.name}"
        argv = ["curl", "-sS", "-C", "-", "--retry", "100", "--retry-all-errors", "--retry-delay", "1", "-o"]
        self._lab.processes.start(peer, peer, [*argv, str(self._lab.home(peer) / "content"), url])

    def notes(self) -> dict[str, object]:
        """Version."""
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False, env=os.environ).stderr
        return {"version": said.strip().rpartition("/")[2], "settings": "sendfile; not verified"}
