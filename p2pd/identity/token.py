"""A join token: the one thing that a machine needs to become a member, and that it is given once.

It carries the fleet's root certificate, which the machine pins, and a secret. The secret is the seed of an Ed25519 key:
the authority keeps only its public half, and the machine proves possession by signing its request. So the secret never
travels, nobody between can use what they see for another key, and the authority's store gives no token away.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pd.world.network import Identity

from .errors import IdentityError

PREFIX: Final = "p2pjoin1."
TOKEN_CHARS_MAX: Final = 16 * 1024
SEED_BYTES: Final = 32


class _Content(msgspec.Struct, array_like=True):
    seed: bytes
    root: bytes
    fleet: str
    role: str
    region: str
    node: str


@dataclass(frozen=True)
class JoinToken:
    """`root`: the fleet's root certificate, DER. `identity`: whom it makes of a machine; node '' is free to choose."""

    seed: bytes
    root: bytes
    identity: Identity

    def __repr__(self) -> str:
        return f"<JoinToken of {self.identity.role} in {self.identity.region}>"

    @property
    def id(self) -> bytes:
        """How the authority knows it: the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, request: bytes) -> bytes:
        """The proof that who sends this request has the token."""
        return self._key.sign(request)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def text(self) -> str:
        """One line, to be kept secret."""
        who = self.identity
        content = _Content(self.seed, self.root, who.fleet, who.role, who.region, who.node)
        return PREFIX + base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode().rstrip("=")


def read_token(text: str) -> JoinToken:
    """The token of this line; IdentityError, which does not repeat it."""
    text = text.strip()
    if not text.startswith(PREFIX) or len(text) > TOKEN_CHARS_MAX:
        raise IdentityError(f"a join token begins with {PREFIX} (`p2p-tracker ca token` makes one)")
    body = text.removeprefix(PREFIX)
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        found = msgspec.msgpack.decode(packed, type=_Content)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise IdentityError("the join token is damaged: was it copied whole?") from None
    if len(found.seed) != SEED_BYTES:
        raise IdentityError("the join token is damaged: was it copied whole?")
    return JoinToken(found.seed, found.root, Identity(found.node, found.region, found.role, fleet=found.fleet))
