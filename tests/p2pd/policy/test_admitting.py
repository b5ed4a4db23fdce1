"""Who is a peer, and who may have what."""

from dataclasses import replace

import pytest

from p2pd.policy.admitting import may_have_release, objection
from p2pd.wire.messages import Hello
from p2pd.world.network import Identity

HELLO = Hello(1, "fleet", "host-1", "eu", "daemon", "")
PROVEN = Identity("host-1", "eu", "daemon", proven=True, fleet="fleet")


@pytest.mark.parametrize("role", ["daemon", "seeder"])
def test_daemons_and_seeders_are_peers(role: str) -> None:
    assert objection(replace(PROVEN, role=role), Hello(1, "fleet", "host-1", "eu", role, "")) == ""


@pytest.mark.parametrize("role", ["tracker", "operator"])
def test_others_are_none(role: str) -> None:
    assert "is no peer" in objection(replace(PROVEN, role=role), Hello(1, "fleet", "host-1", "eu", role, ""))


@pytest.mark.parametrize(
    ("name", "hello"),
    [
        ("node", Hello(1, "fleet", "host-2", "eu", "daemon", "")),
        ("role", Hello(1, "fleet", "host-1", "eu", "seeder", "")),
        ("region", Hello(1, "fleet", "host-1", "us", "daemon", "")),
    ],
)
def test_the_certificate_counts_and_not_what_its_bearer_says(name: str, hello: Hello) -> None:
    assert f"says its {name} is" in objection(PROVEN, hello)


def test_where_nothing_can_be_proven_nothing_is_demanded() -> None:
    assert objection(Identity(), HELLO) == ""


@pytest.mark.parametrize(
    ("products", "release", "may"),
    [
        ((), "web@1", True),
        (("web",), "web@1", True),
        (("web",), "web-2@1", False),
        (("web-*",), "web-2@1", True),
        (("web-*",), "web@1", False),
        (("api", "web"), "web@1", True),
        (("*",), "anything@1", True),
        (("web",), "no release at all", False),
    ],
)
def test_a_certificate_may_be_limited_to_products(products: tuple[str, ...], release: str, may: bool) -> None:
    assert may_have_release(replace(PROVEN, products=products), release) is may
