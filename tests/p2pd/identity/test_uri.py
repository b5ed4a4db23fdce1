"""Identities as URIs: every one comes back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.identity.errors import IdentityError
from p2pd.identity.uri import PRODUCTS_MAX, check_products, identity_of, uri_of
from p2pd.wire.announce import NAME_CHARS_MAX, ROLES
from p2pd.world.network import Identity

NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=NAME_CHARS_MAX // 2)
PLACES = st.lists(NAMES.map(lambda name: name.replace("/", "_")[:20]), min_size=1, max_size=3).map("/".join)
PRODUCTS = st.lists(st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,10}\*?\Z"), max_size=5).map(tuple)


@given(NAMES, PLACES, NAMES, st.sampled_from(ROLES), PRODUCTS)
def test_every_identity_comes_back(fleet: str, region: str, node: str, role: str, products: tuple[str, ...]) -> None:
    identity = Identity(node, region, role, proven=True, fleet=fleet, products=products)
    uri = uri_of(identity)
    assert uri.isascii()
    assert identity_of(["https://other.example", uri]) == identity


def test_names_that_take_too_much_room_are_refused() -> None:
    long = "\N{GRINNING FACE}" * NAME_CHARS_MAX
    with pytest.raises(ValueError, match="4096 characters"):
        uri_of(Identity(long, long, "daemon", fleet=long))


@given(st.text(max_size=60) | st.from_regex(r"p2p://[a-z%/0-9?=*,.]{0,60}"))
def test_any_text_is_an_identity_written_as_it_should_be_or_an_error(text: str) -> None:
    try:
        assert uri_of(identity_of([text])) == text
    except IdentityError:
        pass


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["https://host.example"],
        ["p2p://a/daemon/eu/one", "p2p://a/daemon/eu/two"],
        ["p2p://a/daemon/eu"],
        ["p2p://a/daemon/eu/one/two"],
        ["p2p://a/daemon//one"],
        ["p2p://a/king/eu/one"],
        ["p2p://a/daemon/eu%2F/one"],
        ["p2p://a/daemon/eu%2Fzone%2Frack%2Fshelf/one"],
        ["p2p://a/daemon/eu/%00"],
        ["p2p://a/daemon/eu/%ff"],
        ["p2p://a/daemon/eu/o%6Ee"],
        ["p2p://a/daemon/eu/one?products=Web"],
        ["p2p://a/daemon/eu/one?products="],
        ["p2p://a/daemon/eu/one?admin=1"],
        ["p2p://a/daemon/eu/" + "n" * 5000],
    ],
)
def test_what_names_nobody_or_two_is_refused(uris: list[str]) -> None:
    with pytest.raises(IdentityError):
        identity_of(uris)


def test_a_certificate_has_so_many_patterns_at_most() -> None:
    with pytest.raises(ValueError, match="allowed"):
        check_products(("web",) * (PRODUCTS_MAX + 1))
