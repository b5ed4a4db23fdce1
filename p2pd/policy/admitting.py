"""Who is a peer, and who may have what: what a certificate says counts, never what its bearer says of itself."""

from typing import Final

from manifests.errors import BadNameError
from manifests.names import parse_release
from p2pd.identity.uri import may_have
from p2pd.wire.messages import Hello
from p2pd.world.network import Identity

PEER_ROLES: Final = frozenset({"daemon", "seeder"})
"""A tracker and an operator have no business here."""


def objection(identity: Identity, hello: Hello) -> str:
    """Why this one is not spoken to, '' if nothing is wrong. Where nothing can be proven, nothing is demanded."""
    if not identity.proven:
        return ""
    if identity.role not in PEER_ROLES:
        return f"its certificate is for a {identity.role}, which is no peer"
    for what, said, proven in (
        ("node", hello.node, identity.node),
        ("role", hello.role, identity.role),
        ("region", hello.region, identity.region),
    ):
        if said != proven:
            return f"says its {what} is {said!r}, its certificate says {proven!r}"
    return ""


def may_have_release(identity: Identity, release: str) -> bool:
    """Whether this release (`product@version`) is for them."""
    if not identity.products:
        return True
    try:
        return may_have(identity, parse_release(release).product)
    except BadNameError:
        return False
