"""An authority in a directory, with a clock of its own, and machines that ask it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pd.identity.enrolment import check_answer, new_request, sign_renewal
from p2pd.identity.keys import der, new_key
from p2pd.identity.token import JoinToken
from p2pd.wire.announce import Certify
from p2pd.world.network import Identity
from tracker.ca import folder
from tracker.ca.desk import Desk
from tracker.ca.ledger import Ledger, Token

NOW = 1_700_000_000.0
DAY_S = 86_400.0
HOST = Identity("", "eu", "daemon", fleet="fleet")


class Site:
    """`now` is the authority's clock."""

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        self.folder = folder.make(str(directory / "ca"), "fleet", NOW)
        self.ledger = Ledger(self.folder.ledger_path)
        self.desk = Desk(self.folder, self.ledger)

    def token(self, identity: Identity = HOST, *, uses: int = 1, life_s: float = DAY_S) -> JoinToken:
        """A new one, good for an hour."""
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        token = JoinToken(seed, der(self.folder.root), replace(identity, products=()))
        self.ledger.add_token(Token(token.id, identity, life_s, uses, uses, self.now, self.now + 3600))
        return token

    def join(
        self, token: JoinToken, node: str = "host-1", *, key: EllipticCurvePrivateKey | None = None, **lies: Any
    ) -> list[bytes]:
        """The chain that a machine of this name gets; RefusalError."""
        key = key or new_key()
        wished = replace(token.identity, node=token.identity.node or node, **lies)
        request = new_request(key, wished)
        answer = self.desk.certify(Certify(7, request, token.sign(request), token=token.id), self.now)
        assert answer.number == 7
        check_answer(list(answer.chain), token.root, key, wished)
        return list(answer.chain)

    def renew(self, chain: list[bytes], key: EllipticCurvePrivateKey, wished: Identity) -> list[bytes]:
        """The next chain; RefusalError."""
        request = new_request(new_key(), wished)
        message = Certify(8, request, sign_renewal(key, request), certificate=chain[0])
        return list(self.desk.certify(message, self.now).chain)
