"""Who may come, and who may say what: a daemon can't deploy, whatever it sends."""

from typing import Final

from p2pd.wire.announce import (
    GLOBAL,
    Announce,
    AuditRequest,
    Deploy,
    Order,
    Register,
    Report,
    Rollback,
    SeedersRequest,
    Signal,
    StatusRequest,
    TrackerMessage,
    Watch,
)
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world.network import Identity

from .config import TrackerConfig
from .errors import RefusalError

_NODE: Final = (Announce, SeedersRequest, Watch, Report)
ALLOWED: Final[dict[str, tuple[type[TrackerMessage], ...]]] = {
    "daemon": (*_NODE, Signal),
    "seeder": _NODE,
    "tracker": (Watch, Report),
    "operator": (Deploy, Rollback, Order, StatusRequest, AuditRequest),
}
LOOPBACK: Final = ("127.", "[::1]:", "localhost:")


def check_register(register: Register, identity: Identity, remote_address: str, config: TrackerConfig) -> None:
    """RefusalError unless this one may come in: same protocol, same fleet, and no lie about who it is."""
    if register.version != PROTOCOL_VERSION:
        raise RefusalError(f"you speak version {register.version}, this tracker speaks {PROTOCOL_VERSION}")
    if register.fleet != config.fleet and (register.fleet or register.role != "operator"):
        raise RefusalError(f"this tracker serves fleet {config.fleet!r}, not {register.fleet!r}")
    if not register.node.isprintable() or not register.region.isprintable():
        raise RefusalError("the names of nodes and regions are printable text")
    if identity.stranger:
        raise RefusalError("who has no certificate of this fleet may ask for one, and nothing else (`join_token`)")
    if identity.proven:
        _check_identity(register, identity)
    elif register.role == "operator" and not config.open_operators and not remote_address.startswith(LOOPBACK):
        raise RefusalError(
            "an operator whose identity is not proven may come from this machine only (the setting open_operators "
            "takes them from anywhere)"
        )
    if register.role != "operator" and not register.region:
        raise RefusalError(f"a {register.role} must say its region")
    if register.role == "tracker" and (config.region != GLOBAL or register.region == GLOBAL):
        raise RefusalError(f"trackers of regions follow the global tracker; this is the one of {config.region}")


def check_allowed(role: str, message: TrackerMessage) -> None:
    """RefusalError unless this role may send this message."""
    if not isinstance(message, ALLOWED[role]):
        raise RefusalError(f"a {role} may not send {type(message).__name__}")


def check_reports(register: Register, report: Report) -> None:
    """RefusalError unless all reports are the sender's own. A tracker tells of others: hosts may register anywhere."""
    if register.role == "tracker":
        return
    for one in report.reports:
        if (one.node, one.region) != (register.node, register.region):
            raise RefusalError(f"{register.role} {register.node} may not report for {one.node} in {one.region}")


def _check_identity(register: Register, identity: Identity) -> None:
    claims = [("role", register.role, identity.role)]
    if register.role != "operator":  # who signs with the certificate's name, wherever they stand
        claims += [("node", register.node, identity.node), ("region", register.region, identity.region)]
    for what, said, proven in claims:
        if proven and said != proven:
            raise RefusalError(f"your certificate says {what} {proven!r}, you say {said!r}")
