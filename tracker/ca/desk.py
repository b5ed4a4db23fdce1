"""The authority's desk: who gets a certificate, and who does not. Blocks (it signs, and writes to the ledger).

With a token one gets what the token says; a name that somebody else bears is not given again unless the token names it.
With a certificate one gets the same again, for the next span of time, unless it was taken back.
"""

import hashlib
import threading
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from p2pd.attestation.evidence import RefusedEvidenceError, check, enrolment_binding
from p2pd.identity.certificate import check_time, is_signed_by, load, read_certificate
from p2pd.identity.enrolment import read_request, signed_by_certificate, signed_by_token
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import der
from p2pd.wire.announce import GRADES, Certified, Certify
from p2pd.world.network import Identity
from tracker.errors import RefusalError

from .authority import DAY_S, Signer, member_certificate, new_serial, revocation_list
from .folder import Folder
from .ledger import Issued, Ledger, Token

LIVES_S: Final = {"daemon": DAY_S, "seeder": 7 * DAY_S, "tracker": 7 * DAY_S, **dict.fromkeys(GRADES, DAY_S)}
"""How long a certificate of each role counts. Trackers and seeders: so long that one renewed half-way always has more
than a day left, whatever a wrong clock makes of it."""


class Desk:
    """Of the authority in this folder. RefusalError says why not, StoreError that the ledger fails."""

    def __init__(self, folder: Folder, ledger: Ledger) -> None:
        self.folder, self.ledger = folder, ledger
        self._lists: tuple[int, tuple[bytes, ...]] = (0, ())
        self._deciding = threading.Lock()
        """One at a time: two can't be given the same name."""

    def __repr__(self) -> str:
        return f"<Desk of {self.folder.fleet}>"

    def certify(self, message: Certify, now: float) -> Certified:
        """What was asked for."""
        try:
            wished, key = read_request(message.request)
            if wished.fleet != self.folder.fleet:
                raise RefusalError(f"this is the authority of fleet {self.folder.fleet!r}, not {wished.fleet!r}")
            decide = self._join if message.token else self._renew
            with self._deciding:
                chain = decide(message, wished, key, now)
        except IdentityError as error:
            raise RefusalError(str(error)) from error
        return Certified(message.number, tuple(chain))

    def issue(self, identity: Identity, key: EllipticCurvePublicKey, life_s: float, now: float) -> list[bytes]:
        """A certificate by hand, and those above it; who may call this may have it."""
        return self._issue(replace(identity, fleet=self.folder.fleet), key, life_s, now, None)

    def revocations(self, now: float) -> tuple[bytes, ...]:
        """The present lists, one for each issuer; none while nothing was ever taken back."""
        number = self.ledger.list_number()
        if number != self._lists[0]:
            revoked = self.ledger.revoked(now)
            lists = [self._list(issuer, revoked, number, now) for issuer in self.folder.issuers]
            self._lists = (number, tuple(lists))
        return self._lists[1]

    def _list(self, issuer: Signer, revoked: list[Issued], number: int, now: float) -> bytes:
        entries = [(one.serial, one.revoked_at or now) for one in revoked if one.authority == issuer.key_id]
        return revocation_list(issuer, entries, number, now)

    def _join(self, message: Certify, wished: Identity, key: EllipticCurvePublicKey, now: float) -> list[bytes]:
        token = self.ledger.token(message.token)
        if token is None or not signed_by_token(message.token, message.request, message.signature):
            raise RefusalError("the join token is unknown here (was it made for this fleet, and not long ago?)")
        given = token.identity
        if (wished.role, wished.region) != (given.role, given.region) or given.node not in ("", wished.node):
            what = f"a {given.role} in {given.region}" + (f" named {given.node}" if given.node else "")
            raise RefusalError(f"this token makes {what}, not {wished.role} {wished.node} in {wished.region}")
        again = self._given_before(token, wished, key, now)
        if not again:
            if token.expires_at < now:
                raise RefusalError("the join token has expired: have a new one made")
            self._check_free(token, wished.node, now)
        if wished.attestation or given.attestation:
            _check_attestation(message, wished, given)
        identity = replace(wished, products=given.products)
        return self._issue(identity, key, token.life_s, now, None if again else token.id)

    def _given_before(self, token: Token, wished: Identity, key: EllipticCurvePublicKey, now: float) -> bool:
        """The answer got lost, and the same machine asks again with the same key: that is no second use."""
        return any(
            one.token == token.id and one.key == _key_digest(key) for one in self.ledger.of_node(wished.node, now)
        )

    def _check_free(self, token: Token, node: str, now: float) -> None:
        if not token.identity.node and self.ledger.of_node(node, now):
            raise RefusalError(
                f"there is a {node} already: take its certificate back first (`p2p-tracker ca revoke --host {node}`), "
                "or join with a token that was made for this name"
            )

    def _renew(self, message: Certify, wished: Identity, key: EllipticCurvePublicKey, now: float) -> list[bytes]:
        former = read_certificate(message.certificate)
        shown = load(message.certificate)
        issuers = [one.certificate for one in self.folder.issuers if is_signed_by(shown, one.certificate)]
        if not issuers or not signed_by_certificate(message.certificate, message.request, message.signature):
            raise RefusalError("the request is not signed by the key of a certificate of this authority")
        check_time(former, [der(issuers[0])], now)
        known = self.ledger.certificate(former.serial)
        if known is None or known.revoked_at is not None:
            raise RefusalError(f"the certificate of {former.identity.node} was revoked: join again with a new token")
        if replace(wished, products=()) != replace(former.identity, products=()):
            raise RefusalError("a renewal is for the same node, region and role")
        return self._issue(former.identity, key, known.life_s, now, None)

    def _issue(
        self, identity: Identity, key: EllipticCurvePublicKey, life_s: float, now: float, token: bytes | None
    ) -> list[bytes]:
        issuer, serial = self.folder.issuer, new_serial()
        leaf = member_certificate(issuer, identity, key, serial, now, life_s)
        ends_at = read_certificate(leaf).ends_at
        issued = Issued(serial, issuer.key_id, _key_digest(key), identity, life_s, now, ends_at, token)
        if not self.ledger.add(issued):
            raise RefusalError("the join token was used up: have a new one made")
        return [leaf, der(issuer.certificate)]


def _check_attestation(message: Certify, wished: Identity, given: Identity) -> None:
    """The attestation key is here, and it is the one that the token names, if it names one."""
    if given.attestation and wished.attestation != given.attestation:
        raise RefusalError(f"this token is for the machine with the attestation key {given.attestation}")
    if message.evidence is None:
        raise RefusalError("an attestation key joins with a quote of its own")
    try:
        check(message.evidence, wished.attestation, enrolment_binding(message.request), ())
    except RefusedEvidenceError as error:
        raise RefusalError(f"the attestation key does not prove to be here: {error}") from error


def _key_digest(key: EllipticCurvePublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
