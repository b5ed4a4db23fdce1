"""What an admin has the authority do from afar: let members in by a token, and take certificates back. Blocks."""

from dataclasses import replace

from p2pd.identity.keys import der
from p2pd.identity.uri import uri_of
from p2pd.wire.announce import Invite, Revoke
from p2pd.world.network import Identity
from tracker.errors import RefusalError

from .desk import LIVES_S, Desk
from .ledger import Token


def administer(desk: Desk, command: Invite | Revoke, now: float) -> dict[str, object]:
    """The answer, a plain value; RefusalError, StoreError."""
    return _invite(desk, command, now) if isinstance(command, Invite) else _revoke(desk, command, now)


def _invite(desk: Desk, invite: Invite, now: float) -> dict[str, object]:
    fleet = desk.folder.fleet
    who = Identity(
        invite.node, invite.region, invite.role, fleet=fleet, products=invite.products, attestation=invite.attestation
    )
    try:
        uri_of(replace(who, node=who.node or "any"))
    except ValueError as error:
        raise RefusalError(str(error)) from None
    life_s = invite.life_s or LIVES_S[invite.role]
    token = Token(invite.token, who, life_s, invite.uses, invite.uses, now, now + invite.expires_s)
    desk.ledger.add_token(token)
    return {"fleet": fleet, "root": der(desk.folder.root).hex(), "expires_at": token.expires_at}


def _revoke(desk: Desk, command: Revoke, now: float) -> dict[str, object]:
    try:
        serials = [int(command.serial, 16)] if command.serial else []
    except ValueError:
        raise RefusalError(f"{command.serial!r} is no serial number") from None
    if command.node:
        serials += [one.serial for one in desk.ledger.of_node(command.node, now)]
    revoked = desk.ledger.revoke(serials, now)
    if not revoked:
        raise RefusalError(f"{command.node or command.serial}: there is no certificate to take back")
    return {"revoked": [{"node": one.identity.node, "serial": f"{one.serial:x}"} for one in revoked]}
