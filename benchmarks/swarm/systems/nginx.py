"""nginx and curl: everybody fetches everything from the seed. What a fleet pays without a swarm."""

import os
import subprocess
from collections.abc import Mapping
from typing import Final

from benchmarks.swarm.lab import Lab
from benchmarks.swarm.scenarios import SEED

TOOLS: Final = {"nginx": "nginx-light", "curl": "curl", "openssl": "openssl"}
CERTIFICATE: Final = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-days", "2", "-subj", "/CN=seed", "-keyout")  # fmt: skip
CONFIG: Final = """\
daemon off; worker_processes 1; pid {home}/pid; user root; error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; sendfile_max_chunk 512k; tcp_nopush on;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  ssl_protocols TLSv1.3; ssl_certificate {home}/certificate; ssl_certificate_key {home}/key;
  server {{ listen 80; listen 443 ssl; root {root}; }}
}}
"""


class Nginx:
    """See `System`."""

    tools: Mapping[str, str] = TOOLS

    def __init__(self, lab: Lab, *, https: bool = False) -> None:
        self._lab = lab
        self._scheme = "https" if https else "http"

    def start(self) -> None:
        """The server; clients are no daemons."""
        home = self._lab.home(SEED)
        config = home / "nginx.conf"
        self._lab.processes.run(SEED, [*CERTIFICATE, str(home / "key"), "-out", str(home / "certificate")])
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
        url = f"{self._scheme}://{self._lab.address(SEED)}/{self._lab.content.name}"
        argv = ["curl", "-sSk", "-C", "-", "--retry", "100", "--retry-all-errors", "--retry-delay", "1", "-o"]
        self._lab.processes.start(peer, peer, [*argv, str(self._lab.home(peer) / "content"), url])

    def notes(self) -> dict[str, object]:
        """Version."""
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False, env=os.environ).stderr
        return {
            "version": said.strip().rpartition("/")[2],
            "settings": f"{self._scheme}, sendfile; content not verified",
        }
