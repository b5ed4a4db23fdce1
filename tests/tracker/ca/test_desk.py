"""Who gets a certificate, and who does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2pd.identity.certificate import read_certificate
from p2pd.identity.enrolment import new_request
from p2pd.identity.errors import IdentityError
from p2pd.identity.keys import new_key
from p2pd.identity.revocation import Revocations
from p2pd.wire.announce import Certify
from p2pd.world.network import Identity
from tracker.ca import folder
from tracker.ca.desk import Desk
from tracker.errors import RefusalError

from .fleet_authority import DAY_S, HOST, NOW, Site


def test_a_token_makes_a_member_of_a_machine(site: Site) -> None:
    leaf, issuer = site.join(site.token())
    found = read_certificate(leaf)
    assert found.identity == Identity("host-1", "eu", "daemon", proven=True, fleet="fleet")
    assert (found.begins_at, found.ends_at) == (NOW - DAY_S, NOW + DAY_S)
    assert issuer


def test_a_token_is_good_for_so_many_machines(site: Site) -> None:
    token = site.token(uses=2)
    site.join(token, "host-1")
    site.join(token, "host-2")
    with pytest.raises(RefusalError, match="used up"):
        site.join(token, "host-3")


def test_a_token_expires(site: Site) -> None:
    token = site.token()
    site.now += 3601
    with pytest.raises(RefusalError, match="expired"):
        site.join(token)


def test_a_lost_answer_is_given_again_and_is_no_second_use(site: Site) -> None:
    token, key = site.token(), new_key()
    site.join(token, key=key)
    site.now += 7200
    site.join(token, key=key)


def test_another_machine_can_t_use_a_spent_token(site: Site) -> None:
    token = site.token()
    site.join(token)
    with pytest.raises(RefusalError):
        site.join(token)
    with pytest.raises(RefusalError, match="used up"):
        site.join(token, "host-2")


@pytest.mark.parametrize(
    "lie", [{"role": "tracker"}, {"role": "operator"}, *({"region": region} for region in ("us", "eu/hall"))]
)
def test_a_host_s_token_makes_nothing_else(site: Site, lie: dict[str, Any]) -> None:
    with pytest.raises(RefusalError, match="makes a daemon in eu"):
        site.join(site.token(), **lie)


def test_a_token_for_one_name_makes_no_other(site: Site) -> None:
    token = site.token(replace(HOST, node="host-1"))
    with pytest.raises(RefusalError, match="named host-1"):
        site.join(replace(token, identity=HOST), "host-2")


def test_a_token_for_another_fleet_is_refused(site: Site) -> None:
    with pytest.raises(RefusalError, match="of fleet 'fleet', not 'other'"):
        site.join(site.token(), fleet="other")


def test_a_token_that_was_never_made_here_is_unknown(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other")
    token = other.token()
    other.ledger.close()
    with pytest.raises(RefusalError, match="unknown"):
        site.join(token)


def test_nobody_between_can_use_a_request_for_another_key(site: Site) -> None:
    token = site.token()
    seen = new_request(new_key(), replace(token.identity, node="host-1"))
    mine = new_request(new_key(), replace(token.identity, node="host-1"))
    with pytest.raises(RefusalError, match="unknown"):
        site.desk.certify(Certify(1, mine, token.sign(seen), token=token.id), site.now)


def test_nobody_takes_a_name_that_somebody_bears(site: Site) -> None:
    token = site.token(uses=9)
    site.join(token, "host-1")
    with pytest.raises(RefusalError, match="there is a host-1 already"):
        site.join(token, "host-1")


def test_a_name_is_free_again_when_its_bearer_was_revoked_or_has_expired(site: Site) -> None:
    token = site.token(uses=9)
    first = read_certificate(site.join(token, "host-1")[0])
    site.ledger.revoke([first.serial], site.now)
    site.join(token, "host-1")
    site.now += 2 * DAY_S + 1
    site.join(site.token(), "host-1")


def test_a_token_for_a_name_gives_it_again(site: Site) -> None:
    site.join(site.token(), "host-1")
    site.join(site.token(replace(HOST, node="host-1")))


def test_the_authority_says_which_products_and_not_the_machine(site: Site) -> None:
    token = site.token(replace(HOST, products=("web",)))
    chain = site.join(token)
    assert read_certificate(chain[0]).identity.products == ("web",)


def test_a_renewal_is_the_same_identity_for_the_next_span(site: Site) -> None:
    key = new_key()
    chain = site.join(site.token(replace(HOST, products=("web",)), life_s=3600), key=key)
    site.now += 2000
    former = read_certificate(chain[0]).identity
    found = read_certificate(site.renew(chain, key, former)[0])
    assert (found.identity, found.ends_at) == (former, site.now + 3600)


def test_a_renewal_works_for_a_day_after_the_end_and_no_longer(site: Site) -> None:
    key = new_key()
    chain = site.join(site.token(), key=key)
    who = read_certificate(chain[0]).identity
    site.now += 2 * DAY_S - 1
    site.renew(chain, key, who)
    site.now += 2
    with pytest.raises(RefusalError, match="expired"):
        site.renew(chain, key, who)


@pytest.mark.parametrize("lie", [{"node": "host-2"}, {"role": "operator"}, {"region": "us"}])
def test_a_renewal_is_no_way_to_become_somebody_else(site: Site, lie: dict[str, Any]) -> None:
    key = new_key()
    chain = site.join(site.token(), key=key)
    with pytest.raises(RefusalError, match="same node"):
        site.renew(chain, key, replace(read_certificate(chain[0]).identity, **lie))


def test_a_renewal_gives_no_more_products(site: Site) -> None:
    key = new_key()
    chain = site.join(site.token(replace(HOST, products=("web",))), key=key)
    renewed = site.renew(chain, key, replace(read_certificate(chain[0]).identity, products=()))
    assert read_certificate(renewed[0]).identity.products == ("web",)


def test_a_certificate_without_its_key_renews_nothing(site: Site) -> None:
    chain = site.join(site.token())
    with pytest.raises(RefusalError, match="not signed by the key"):
        site.renew(chain, new_key(), read_certificate(chain[0]).identity)


def test_a_certificate_of_another_authority_renews_nothing(site: Site, tmp_path: Path) -> None:
    other, key = Site(tmp_path / "other"), new_key()
    chain = other.join(other.token(), key=key)
    other.ledger.close()
    with pytest.raises(RefusalError, match="of this authority"):
        site.renew(chain, key, read_certificate(chain[0]).identity)


def test_who_was_revoked_is_not_renewed(site: Site) -> None:
    key = new_key()
    chain = site.join(site.token(), key=key)
    found = read_certificate(chain[0])
    site.ledger.revoke([found.serial], site.now)
    with pytest.raises(RefusalError, match="revoked"):
        site.renew(chain, key, found.identity)


@pytest.mark.parametrize("request_bytes", [b"", b"nonsense", b"0" * 8192])
def test_what_is_no_request_is_refused(site: Site, request_bytes: bytes) -> None:
    with pytest.raises(RefusalError, match="no request"):
        site.desk.certify(Certify(1, request_bytes, b"", token=bytes(32)), site.now)


def test_revocations_are_told_as_lists_that_members_believe(site: Site) -> None:
    found = read_certificate(site.join(site.token())[0])
    known = Revocations([site.folder.root])
    assert site.desk.revocations(site.now) == ()
    site.ledger.revoke([found.serial], site.now)
    (told,) = site.desk.revocations(site.now)
    assert known.take(told)
    assert known.is_revoked(found.issuer, found.serial)
    assert not known.take(told), "it is no news"


def test_a_list_forgets_what_nobody_would_take_any_more(site: Site) -> None:
    first = read_certificate(site.join(site.token(), "host-1")[0])
    site.ledger.revoke([first.serial], site.now)
    site.now += 2 * DAY_S + 1
    second = read_certificate(site.join(site.token(), "host-2")[0])
    site.ledger.revoke([second.serial], site.now)
    known = Revocations([site.folder.root])
    for told in site.desk.revocations(site.now):
        known.take(told)
    assert not known.is_revoked(first.issuer, first.serial)
    assert known.is_revoked(second.issuer, second.serial)


def test_a_new_issuing_authority_vouches_for_what_the_former_signed(site: Site) -> None:
    key = new_key()
    chain = site.join(site.token(), key=key)
    former = read_certificate(chain[0])
    renewed = folder.renew(site.folder.path, f"{site.folder.path}/root.key", site.now)
    site.desk = Desk(renewed, site.ledger)
    assert renewed.issuer.key_id != former.issuer
    assert read_certificate(site.renew(chain, key, former.identity)[0]).issuer == renewed.issuer.key_id
    site.ledger.revoke([former.serial], site.now)
    known = Revocations([site.folder.root])
    for told in site.desk.revocations(site.now):
        known.take(told)
    assert known.is_revoked(former.issuer, former.serial)


def test_only_the_root_s_own_key_makes_a_new_issuing_authority(site: Site, tmp_path: Path) -> None:
    other = folder.make(str(tmp_path / "other"), "fleet", NOW)
    with pytest.raises(IdentityError, match="not the key of this fleet's root"):
        folder.renew(site.folder.path, f"{other.path}/root.key", site.now)


def test_no_certificate_outlives_what_signed_it(site: Site) -> None:
    site.now = site.folder.issuer.ends_at - 10
    found = read_certificate(site.join(site.token())[0])
    assert found.ends_at == site.folder.issuer.ends_at
