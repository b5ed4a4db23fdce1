"""What `p2p-tracker ca` does, on the authority's own files. Loaded when a command runs."""

import os
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from manifests.console import EXIT_OK, CommandError, Console, UsageError, human_duration
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import chain_pem, der, key_pem, new_key
from p2pd.identity.token import JoinToken
from p2pd.identity.uri import check_products, uri_of
from p2pd.papers import write_papers, write_private
from p2pd.wire.announce import GLOBAL, GRADES
from p2pd.world.network import Identity
from tracker.errors import RefusalError, StoreError

from . import folder as folders
from . import remote
from .cli import ROLES
from .desk import LIVES_S, Desk
from .folder import Folder
from .ledger import Issued, Ledger, Token

utc_now: Callable[[], float] = time.time  # noqa: TID251 - a command on the authority's own machine: it has no World
ROLE_NAMES: Final = {role: name for name, role in ROLES.items()}


def run(arguments: Namespace, console: Console) -> int:
    """One command; CommandError says what is wrong."""
    try:
        commands = REMOTE_COMMANDS if getattr(arguments, "tracker", "") else COMMANDS
        commands[arguments.ca_command](arguments, console)
    except (IdentityError, RefusalError, StoreError) as error:
        raise CommandError(str(error)) from error
    return EXIT_OK


def _init(arguments: Namespace, console: Console) -> None:
    try:
        made = folders.make(arguments.directory, arguments.fleet, utc_now())
    except FileExistsError as error:
        raise CommandError(str(error)) from error
    Ledger(made.ledger_path).close()
    root_key = os.path.join(made.path, folders.ROOT_KEY)
    value = {"directory": made.path, "fleet": made.fleet, "root_sha256": _fingerprint(made), "root_key": root_key}

    def tell() -> None:
        console.say(f"The authority of fleet {made.fleet} is in {made.path}; its root is {_fingerprint(made)}.")
        console.say(f"Only `ca renew`, every other year, needs {root_key}: move it to where no machine reads it.")

    console.result(value, tell)


def _token_from_afar(arguments: Namespace, console: Console) -> None:
    now, who, key = utc_now(), _member(arguments, ""), Ed25519PrivateKey.generate()
    life_s, uses = arguments.life or 0.0, arguments.uses
    token_id = key.public_key().public_bytes_raw()
    fleet, root = remote.invite(arguments, token_id, who, life_s)
    token = JoinToken(key.private_bytes_raw(), root, replace(who, fleet=fleet))
    _hand_over(arguments, console, token, Token(token.id, token.identity, life_s or LIVES_S[who.role], uses, uses, now,
                                                now + arguments.expires))  # fmt: skip


def _revoke_from_afar(arguments: Namespace, console: Console) -> None:
    revoked = remote.revoke(arguments)
    words = ", ".join(f"{one['node']} ({one['serial']})" for one in revoked)
    console.result({"revoked": revoked}, lambda: console.say(f"taken back: {words}"))


def _token(arguments: Namespace, console: Console) -> None:
    with _opened(arguments) as desk:
        now, who = utc_now(), _member(arguments, desk.folder.fleet)
        key = Ed25519PrivateKey.generate()
        token = JoinToken(key.private_bytes_raw(), der(desk.folder.root), who)
        life_s = arguments.life or LIVES_S[who.role]
        expires_at = now + arguments.expires
        booked = Token(token.id, who, life_s, arguments.uses, arguments.uses, now, expires_at)
        desk.ledger.add_token(booked)
    _hand_over(arguments, console, token, booked)


def _hand_over(arguments: Namespace, console: Console, token: JoinToken, booked: Token) -> None:
    if arguments.output:
        write_private(arguments.output, token.text().encode() + b"\n")
    value = _token_document(booked)
    value |= {"file": arguments.output} if arguments.output else {"token": token.text()}
    console.note(f"{_uses(booked.uses)} as {_words(booked.identity)} within {human_duration(arguments.expires)}")
    console.result(value, lambda: console.say(arguments.output or token.text()))


def _issue(arguments: Namespace, console: Console) -> None:
    with _opened(arguments) as desk:
        who, key = _member(arguments, desk.folder.fleet), new_key()
        chain = desk.issue(who, key.public_key(), arguments.life or LIVES_S[who.role], utc_now())
        write_papers(arguments.output, key_pem(key) + chain_pem(chain), chain_pem([der(desk.folder.root)]))
        (issued, *_) = desk.ledger.of_node(who.node, utc_now())
    value = _document(issued) | {"directory": arguments.output}
    console.result(value, lambda: console.say(f"{arguments.output}: {_words(who)}, until {_when(issued.ends_at)}"))


def _list(arguments: Namespace, console: Console) -> None:
    now = utc_now()
    with _opened(arguments) as desk:
        tokens, issued = desk.ledger.tokens(now), desk.ledger.certificates(now, expired=arguments.all)
    value = {"tokens": list(map(_token_document, tokens)), "certificates": list(map(_document, issued))}

    def tell() -> None:
        console.table("join tokens", ("made", "for", "#uses left", "until"), [
            (_when(one.made_at), _words(one.identity), f"{one.uses_left} of {one.uses}", _when(one.expires_at))
            for one in tokens
        ])  # fmt: skip
        console.table("certificates", ("serial", "node", "what", "until", ""), [
            (f"{one.serial:x}", one.identity.node, _words(replace(one.identity, node="")), _when(one.ends_at),
             "revoked" if one.revoked_at else "expired" if one.ends_at < now else "")
            for one in issued
        ])  # fmt: skip

    console.result(value, tell)


def _status(arguments: Namespace, console: Console) -> None:
    now = utc_now()
    with _opened(arguments) as desk:
        live = [one for one in desk.ledger.certificates(now) if one.revoked_at is None]
        by_role = {name: sum(one.identity.role == role for one in live) for name, role in ROLES.items()}
        value: dict[str, object] = {
            "directory": desk.folder.path,
            "fleet": desk.folder.fleet,
            "root_sha256": _fingerprint(desk.folder),
            "root_expires_at": desk.folder.root.not_valid_after_utc.timestamp(),
            "issuer_expires_at": desk.folder.issuer.ends_at,
            "root_key_here": os.path.exists(os.path.join(desk.folder.path, folders.ROOT_KEY)),
            "certificates": by_role,
            "tokens": len(desk.ledger.tokens(now)),
            "revoked": len(desk.ledger.revoked(now)),
        }

    def tell() -> None:
        console.table(f"authority of fleet {value['fleet']}", ("", ""), [
            ("root", value["root_sha256"]),
            ("issuing until", _when(desk.folder.issuer.ends_at) + " (then: ca renew)"),
            ("root's key", "here: better moved elsewhere" if value["root_key_here"] else "not here: good"),
            ("certificates", ", ".join(f"{count} {name}" for name, count in by_role.items())),
            ("join tokens", value["tokens"]),
            ("revoked", value["revoked"]),
        ])  # fmt: skip

    console.result(value, tell)


def _revoke(arguments: Namespace, console: Console) -> None:
    now = utc_now()
    with _opened(arguments) as desk:
        if arguments.host:
            serials = [one.serial for one in desk.ledger.of_node(arguments.host, now)]
        else:
            serials = [_serial(arguments.serial)]
        revoked = desk.ledger.revoke(serials, now)
    if not revoked:
        raise CommandError(f"{arguments.host or arguments.serial}: there is no certificate to take back (`ca list`)")
    words = ", ".join(f"{one.identity.node} ({one.serial:x})" for one in revoked)
    console.result({"revoked": list(map(_document, revoked))}, lambda: console.say(f"taken back: {words}"))


def _renew(arguments: Namespace, console: Console) -> None:
    renewed = folders.renew(arguments.directory, arguments.root_key, utc_now())
    value = {"directory": renewed.path, "issuer_expires_at": renewed.issuer.ends_at}
    words = f"issues until {_when(renewed.issuer.ends_at)}; restart the tracker that it belongs to"
    console.result(value, lambda: console.say(words))


COMMANDS: Final = {
    "init": _init, "token": _token, "issue": _issue, "list": _list, "status": _status, "revoke": _revoke,
    "renew": _renew,
}  # fmt: skip


REMOTE_COMMANDS: Final = {"token": _token_from_afar, "revoke": _revoke_from_afar}


class _opened:  # noqa: N801 - a context manager
    """The desk of the authority that was named."""

    def __init__(self, arguments: Namespace) -> None:
        found = folders.load(arguments.directory)
        self._desk = Desk(found, Ledger(found.ledger_path))
        self._closing = closing(self._desk.ledger)

    def __enter__(self) -> Desk:
        return self._desk

    def __exit__(self, *_: object) -> None:
        self._closing.__exit__(None, None, None)


def _member(arguments: Namespace, fleet: str) -> Identity:
    """Whom the flags describe; UsageError."""
    role = ROLES[arguments.role]
    region = arguments.region or (GLOBAL if role in GRADES else "")
    if not region:
        raise UsageError(f"--region: where is this {arguments.role}? (the global tracker is in {GLOBAL!r})")
    products = tuple(part.strip() for part in arguments.products.split(",") if part.strip())
    identity = Identity(arguments.host, region, role, fleet=fleet, products=products, attestation=arguments.attestation)
    try:
        check_products(products)
        uri_of(replace(identity, node=identity.node or "any", fleet=fleet or "any"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    return identity


def _fingerprint(folder: Folder) -> str:
    return folder.root.fingerprint(SHA256()).hex()


def _serial(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise UsageError(f"{text!r} is no serial number; `ca list` shows them") from None


def _document(issued: Issued) -> dict[str, object]:
    return _who(issued.identity) | {
        "serial": f"{issued.serial:x}",
        "issued_at": issued.issued_at,
        "ends_at": issued.ends_at,
        "revoked_at": issued.revoked_at,
    }


def _token_document(token: Token) -> dict[str, object]:
    return _who(token.identity) | {
        "id": token.id.hex(),
        "uses": token.uses,
        "uses_left": token.uses_left,
        "expires_at": token.expires_at,
    }


def _who(identity: Identity) -> dict[str, object]:
    return {
        "node": identity.node,
        "role": ROLE_NAMES[identity.role],
        "region": identity.region,
        "products": identity.products,
    }


def _words(identity: Identity) -> str:
    words = f"{ROLE_NAMES[identity.role]} in {identity.region}"
    if identity.node:
        words = f"{identity.node}, {words}"
    return f"{words}, for {', '.join(identity.products)}" if identity.products else words


def _uses(count: int) -> str:
    return "one machine may join" if count == 1 else f"{count} machines may join"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
