"""Asking for a certificate: the request, and the proof that goes with it.

A request (PKCS #10) names the identity that is wished for and is signed by the new key. Who joins signs it with its
token, who renews signs it with its present key and shows its present certificate. So the request says all by itself,
whoever carries it, and is good for nothing but this key.
"""

from dataclasses import replace
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from p2pd.wire.announce import CERTIFICATE_BYTES_MAX
from p2pd.world.network import Identity

from .certificate import is_signed_by, load
from .errors import IdentityError
from .uri import identity_of, uri_of


def new_request(key: EllipticCurvePrivateKey, identity: Identity) -> bytes:
    """A request for this identity, DER."""
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri_of(identity))])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def read_request(request: bytes) -> tuple[Identity, EllipticCurvePublicKey]:
    """Who is wished for, and the key; IdentityError."""
    if len(request) > CERTIFICATE_BYTES_MAX:
        raise IdentityError(f"a request of {len(request)} bytes, {CERTIFICATE_BYTES_MAX} allowed")
    try:
        found = x509.load_der_x509_csr(request)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = found.public_key()
        if not found.is_signature_valid:
            raise IdentityError("the request is not signed by the key that it names")
        identity = identity_of(names.get_values_for_type(x509.UniformResourceIdentifier))
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, UnsupportedAlgorithm) as error:
        raise IdentityError(f"it is no request for a certificate: {error}") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise IdentityError("keys are of P-256 here")
    return identity, key


def signed_by_token(token_id: bytes, request: bytes, signature: bytes) -> bool:
    """Whether the token of this public key signed the request."""
    try:
        Ed25519PublicKey.from_public_bytes(token_id).verify(signature, request)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_renewal(key: EllipticCurvePrivateKey, request: bytes) -> bytes:
    """The proof of who renews: the request, signed with the present key."""
    return key.sign(request, ECDSA(SHA256()))


def signed_by_certificate(certificate: bytes, request: bytes, signature: bytes) -> bool:
    """Whether the key of this certificate (DER) signed the request; IdentityError when it is no certificate."""
    key = load(certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, request, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def check_answer(chain: list[bytes], root: bytes, key: EllipticCurvePrivateKey, asked: Identity) -> None:
    """IdentityError unless the chain (DER, ours first) is what we asked for: under our root, for our key and name."""
    if not chain:
        raise IdentityError("the answer holds no certificate")
    certificates = [load(one) for one in (*chain, root)]
    if not all(is_signed_by(below, above) for below, above in pairwise(certificates)):
        raise IdentityError("the answer's certificate is not of the fleet whose root we pinned")
    if certificates[0].public_key() != key.public_key():
        raise IdentityError("the answer's certificate is for another key than ours")
    names = certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    given = identity_of(names.get_values_for_type(x509.UniformResourceIdentifier))
    if replace(given, products=(), proven=False) != replace(asked, products=(), proven=False):
        raise IdentityError(f"the answer's certificate is for {uri_of(given)}")
