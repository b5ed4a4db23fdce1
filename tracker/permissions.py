"""Who may come, and who may say what: a daemon can't deploy, whatever it sends, and a viewer only looks.

A person's certificate says their grade, and each grade may do what those below it may; where it names products, for
services of these only:

    viewer           look: status, swarms, audit
    operator         stop and take back: pause, resume, roll back to what ran before; deploy to one region
    release-manager  let out: deploy everywhere, promote
    admin            all of it, and who belongs to the fleet: invite (join tokens), revoke; who may open the tracker's
                     own socket is one
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from p2pd.identity.uri import may_have
from p2pd.policy.places import check_place, region_of
from p2pd.wire.announce import (
    GLOBAL,
    GRADES,
    Announce,
    AuditRequest,
    Deploy,
    Invite,
    Order,
    Pause,
    Promote,
    Register,
    Report,
    Resume,
    Revoke,
    Rollback,
    SeedersRequest,
    Signal,
    StatusRequest,
    TrackerMessage,
    Watch,
)
from p2pd.wire.attestation import Quote
from p2pd.wire.messages import PROTOCOL_VERSION
from p2pd.world.network import Identity

from .config import TrackerConfig
from .errors import RefusalError

Command = Deploy | Rollback | Order | Pause | Resume | Promote | Invite | Revoke
COMMANDS: Final = (Deploy, Rollback, Order, Pause, Resume, Promote, Invite, Revoke)
"""What changes something, and so leaves a record."""
_NODE: Final = (Announce, SeedersRequest, Watch, Report)
ALLOWED: Final[dict[str, tuple[type[TrackerMessage], ...]]] = {
    "daemon": (*_NODE, Signal, Quote),
    "seeder": _NODE,
    "tracker": (Watch, Report),
    "operator": (*COMMANDS, StatusRequest, AuditRequest),
}
VIEWER, OPERATOR, RELEASE_MANAGER, ADMIN = GRADES
LOOPBACK: Final = ("127.", "[::1]:", "localhost:")


@dataclass(frozen=True, slots=True)
class Commander:
    """Who gives a command. `name`: as the certificate says, or as they say themselves (then `proven` is false).
    `grade`: one of GRADES; the role of whoever is no person. `address`: where from. `products`: patterns of those that
    they may command, none: all."""

    name: str
    proven: bool
    grade: str
    address: str
    products: tuple[str, ...] = ()

    def called(self, said: str) -> str:
        """What their commands are signed with: a certificate's word counts more than theirs."""
        return self.name if self.proven else said or self.name


def commander_of(register: Register, identity: Identity, address: str) -> Commander:
    """Where nobody's identity is proven there are no grades: whoever may come in is an admin."""
    name = identity.node if identity.proven else register.node
    grade = identity.role if identity.proven else ADMIN if register.role == "operator" else register.role
    return Commander(name, identity.proven, grade, address, identity.products)


def needed_grade(message: TrackerMessage, *, going_back: bool = False) -> str:
    """The lowest grade that may command this. `going_back`: an order to return to what was in force there before."""
    if isinstance(message, StatusRequest | AuditRequest):
        return VIEWER
    if isinstance(message, Pause | Resume | Rollback) or going_back:
        return OPERATOR
    if isinstance(message, Deploy | Order):
        scope = message.scope if isinstance(message, Deploy) else message.goal.scope
        return RELEASE_MANAGER if scope == GLOBAL else OPERATOR
    return RELEASE_MANAGER if isinstance(message, Promote) else ADMIN


def check_grade(grade: str, message: TrackerMessage, *, going_back: bool = False) -> None:
    """RefusalError unless this grade may command this."""
    needed = needed_grade(message, going_back=going_back)
    if grade not in GRADES or GRADES.index(grade) < GRADES.index(needed):
        what = type(message).__name__.lower() + (" everywhere" if getattr(message, "scope", "") == GLOBAL else "")
        raise RefusalError(
            f"{what} takes {_article(needed)} or more, your certificate says {grade}: ask one of them, or have another "
            f"certificate issued (`p2p-tracker ca issue --role {needed}`)"
        )


def check_products(commander: Commander, what: str, releases: Iterable[str]) -> None:
    """RefusalError when the certificate is limited to products and one of these releases is of another; '' is none."""
    for product in dict.fromkeys(release.partition("@")[0] for release in releases if release):
        if not may_have(Identity(products=commander.products), product):
            raise RefusalError(f"{what} is of {product}; your certificate is for {', '.join(commander.products)}")


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
    if register.role != "operator":
        _check_place(register.region)
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
        if (one.node, one.region) != (register.node, region_of(register.region)):
            raise RefusalError(f"{register.role} {register.node} may not report for {one.node} in {one.region}")


def _check_identity(register: Register, identity: Identity) -> None:
    role = "operator" if identity.role in GRADES else identity.role
    claims = [("role", register.role, role)]
    if register.role != "operator":  # who signs with the certificate's name, wherever they stand
        claims += [("node", register.node, identity.node), ("region", register.region, identity.region)]
    for what, said, proven in claims:
        if proven and said != proven:
            raise RefusalError(f"your certificate says {what} {proven!r}, you say {said!r}")


def _check_place(place: str) -> None:
    try:
        check_place(place)
    except ValueError as error:
        raise RefusalError(f"region: {error}") from None


def _article(grade: str) -> str:
    return f"{'an' if grade[0] in 'ao' else 'a'} {grade}"
