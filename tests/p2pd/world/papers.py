"""A fleet's authority for tests, and members with their papers on disk."""

import os
from pathlib import Path

from p2pd.identity.keys import chain_pem, der, key_pem, new_key
from p2pd.world.credentials import Credentials, IdentityFiles
from p2pd.world.network import Identity
from p2pd.world.tls_network import TlsNetwork
from tracker.ca.authority import member_certificate, new_issuer, new_root, new_serial, revocation_list

NOW = 1_700_000_000.0
DAY_S = 86_400.0


class Papers:
    """An authority in a directory. `now` is its clock and everybody's."""

    def __init__(self, directory: Path, fleet: str = "fleet") -> None:
        self.directory, self.fleet = directory, fleet
        self.now = NOW
        self.root = new_root(fleet, NOW)
        self.issuer = new_issuer(fleet, self.root, NOW)
        self.serials: dict[str, int] = {}
        self._lists = 0
        directory.mkdir(exist_ok=True)
        (directory / "root.pem").write_bytes(chain_pem([der(self.root.certificate)]))

    def files(self, node: str, role: str = "daemon", *, region: str = "eu", life_s: float = DAY_S) -> IdentityFiles:
        """New papers of this member, in place of older ones."""
        key, serial = new_key(), new_serial()
        identity = Identity(node, region, role, fleet=self.fleet)
        leaf = member_certificate(self.issuer, identity, key.public_key(), serial, self.now, life_s)
        path = self.directory / f"{node}.pem"
        beside = self.directory / "new"
        beside.write_bytes(key_pem(key) + chain_pem([leaf, der(self.issuer.certificate)]))
        os.replace(beside, path)
        self.serials[node] = serial
        root, revoked = str(self.directory / "root.pem"), str(self.directory / f"{node}.revoked")
        return IdentityFiles(root, str(path), str(path), revoked)

    def stranger(self) -> TlsNetwork:
        """Of one who knows the root and nothing else."""
        return TlsNetwork(Credentials(IdentityFiles(str(self.directory / "root.pem")), self.fleet), lambda: self.now)

    def member(self, node: str, role: str = "daemon", **options: float) -> TlsNetwork:
        """This member's network."""
        files = self.files(node, role, **options)  # type: ignore[arg-type]
        return TlsNetwork(Credentials(files), lambda: self.now)

    def revoke(self, *nodes: str) -> bytes:
        """The authority's next list."""
        self._lists += 1
        return revocation_list(self.issuer, [(self.serials[node], self.now) for node in nodes], self._lists, self.now)
