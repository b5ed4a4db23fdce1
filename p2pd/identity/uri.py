"""An identity as a URI, the one thing in a certificate that we read besides its dates and its serial number.

    p2p://FLEET/ROLE/REGION/NODE?products=web,search-*&attestation=tpm:5f...

REGION may name a zone of it and a rack of that (`eu/zone-1/rack-7`). Each part is percent-encoded, so that names may
hold any printable character. It stands among the certificate's subject
alternative names, where any authority can put it: the site's own as well as the one in the tracker.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

from p2pd.policy.places import check_place
from p2pd.wire.announce import CERTIFIED_ROLES, NAME_CHARS_MAX
from p2pd.world.network import Identity

from .errors import IdentityError

SCHEME: Final = "p2p://"
URI_CHARS_MAX: Final = 4_096
PRODUCTS_MAX: Final = 64
"""Patterns in one certificate."""
_QUERY: Final = re.compile(r"(?:products=([^&]+))?(?:(?:^|&)attestation=([^&]+))?")
_ATTESTATION: Final = re.compile(r"(tpm|software):[0-9a-f]{64}")
_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\*?|\*")


def uri_of(identity: Identity) -> str:
    """The URI; ValueError, meant for a person, for what can't stand in a certificate."""
    parts = (identity.fleet, identity.role, identity.region, identity.node)
    for part in parts:
        if not part or len(part) > NAME_CHARS_MAX or not part.isprintable():
            raise ValueError(f"{part!r}: a fleet, a region and a node have 1 to {NAME_CHARS_MAX} printable characters")
    check_place(identity.region)
    if identity.role not in CERTIFIED_ROLES:
        raise ValueError(f"{identity.role!r} is no role: {', '.join(CERTIFIED_ROLES)}")
    check_products(identity.products)
    if identity.attestation and not _ATTESTATION.fullmatch(identity.attestation):
        raise ValueError(f"{identity.attestation[:100]!r}: expected tpm: or software: and 64 hex digits")
    uri = SCHEME + "/".join(quote(part, safe="") for part in parts)
    query = [f"products={','.join(identity.products)}"] if identity.products else []
    query += [f"attestation={identity.attestation}"] if identity.attestation else []
    uri += f"?{'&'.join(query)}" if query else ""
    if len(uri) > URI_CHARS_MAX:
        raise ValueError(f"{identity.node[:40]!r}...: names and products take more than {URI_CHARS_MAX} characters")
    return uri


def identity_of(uris: Iterable[str]) -> Identity:
    """Who the only one of these URIs that is ours names; IdentityError."""
    ours = [uri for uri in uris if uri.startswith(SCHEME)]
    if len(ours) != 1:
        raise IdentityError(f"it should name one {SCHEME}FLEET/ROLE/REGION/NODE, and names {len(ours)}")
    path, _, query = ours[0].removeprefix(SCHEME).partition("?")
    try:
        fleet, role, region, node = (unquote(part, errors="strict") for part in path.split("/"))
        products, attestation = found.groups("") if (found := _QUERY.fullmatch(query)) else ("", "")
        patterns = tuple(products.split(",")) if products else ()
        identity = Identity(node, region, role, proven=True, fleet=fleet, products=patterns, attestation=attestation)
        canonical = uri_of(identity)
    except ValueError as error:  # also of UnicodeDecodeError, and of too few or too many parts
        raise IdentityError(f"{ours[0][:200]!r} names nobody: {error}") from error
    if canonical != ours[0]:
        raise IdentityError(f"{ours[0][:200]!r} should be written {canonical[:200]!r}")
    return identity


def check_products(patterns: Iterable[str]) -> None:
    """ValueError, meant for a person, unless each is a product's name or the beginning of some with a star."""
    patterns = tuple(patterns)
    if len(patterns) > PRODUCTS_MAX:
        raise ValueError(f"{len(patterns)} product patterns, {PRODUCTS_MAX} allowed")
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern!r}: expected a product such as 'web', or the beginning of some such as 'web-*'")


def may_have(identity: Identity, product: str) -> bool:
    """Whether the releases of this product are for them. Who is limited to none may have all."""
    return not identity.products or any(
        product.startswith(pattern[:-1]) if pattern.endswith("*") else product == pattern
        for pattern in identity.products
    )
