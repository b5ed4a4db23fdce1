"""The table `[identity]` of every service's configuration: where its papers are, or come from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IdentityConfig:
    """Paths. `directory`: where papers from the fleet's authority are kept ('': `identity` in the state directory).
    `token_file`: the join token for the first start. Or the site's own PKI, read again whenever the files change:
    `certificate` (ours and those above it), `key`, `root`, and, if there are such, `revoked` (each list after the
    certificate of its authority and those between it and the root).
    """

    directory: str = ""
    token_file: str = ""
    certificate: str = ""
    key: str = ""
    root: str = ""
    revoked: str = ""

    def __post_init__(self) -> None:
        own = {name: getattr(self, name) for name in ("certificate", "key", "root")}
        if any(own.values()) and not all(own.values()):
            missing = ", ".join(name for name, path in own.items() if not path)
            raise ValueError(f"the site's own PKI needs certificate, key and root; missing: {missing}")
        if self.revoked and not self.certificate:
            raise ValueError("revoked goes with certificate, key and root")
        if self.certificate and (self.directory or self.token_file):
            raise ValueError("either directory and token_file (our authority), or certificate, key and root (yours)")

    @property
    def own_pki(self) -> bool:
        """The site issues and renews."""
        return bool(self.certificate)
