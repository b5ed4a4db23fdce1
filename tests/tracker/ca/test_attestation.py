"""An attestation key joins together with its host, and stays with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from p2pd.attestation.evidence import enrolment_binding, key_name
from p2pd.attestation.software import SoftwareAttestor
from p2pd.identity.certificate import read_certificate
from p2pd.identity.enrolment import new_request
from p2pd.identity.keys import new_key
from p2pd.identity.token import JoinToken
from p2pd.wire.announce import Certify
from p2pd.wire.attestation import Evidence
from tests.tracker.ca.fleet_authority import HOST, Site
from tracker.errors import RefusalError

NODE = "host-1"


@pytest.fixture
def attestor(tmp_path: Path) -> SoftwareAttestor:
    return SoftwareAttestor(str(tmp_path / "attestation"))


def name_of(attestor: SoftwareAttestor) -> str:
    return key_name(attestor.kind, attestor.key())


def join(site: Site, token: JoinToken, attestation: str, attestor: SoftwareAttestor | None) -> str:
    """The key that the certificate names; RefusalError."""
    request = new_request(new_key(), replace(token.identity, node=NODE, attestation=attestation))
    evidence: Evidence | None = attestor.quote(enrolment_binding(request), ()) if attestor else None
    answer = site.desk.certify(Certify(1, request, token.sign(request), token=token.id, evidence=evidence), site.now)
    return read_certificate(answer.chain[0]).identity.attestation


def test_the_certificate_names_the_key(site: Site, attestor: SoftwareAttestor) -> None:
    assert join(site, site.token(), name_of(attestor), attestor) == name_of(attestor)


def test_without_one_it_names_none(site: Site) -> None:
    assert join(site, site.token(), "", None) == ""


def test_a_key_that_is_not_here_does_not_join(site: Site, attestor: SoftwareAttestor, tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="joins with a quote"):
        join(site, site.token(), name_of(attestor), None)
    with pytest.raises(RefusalError, match="another attestation key"):
        join(site, site.token(), name_of(attestor), SoftwareAttestor(str(tmp_path / "other")))


def test_a_file_can_not_pass_for_a_tpm(site: Site, attestor: SoftwareAttestor) -> None:
    with pytest.raises(RefusalError, match="no TPM made it"):
        join(site, site.token(), key_name("tpm", attestor.key()), attestor)


def test_a_token_may_be_for_one_machines_key(site: Site, attestor: SoftwareAttestor, tmp_path: Path) -> None:
    token = site.token(replace(HOST, attestation=name_of(attestor)))
    other = SoftwareAttestor(str(tmp_path / "other"))
    for name, key in ((name_of(other), other), ("", None)):
        with pytest.raises(RefusalError, match="the machine with the attestation key"):
            join(site, token, name, key)
    assert join(site, token, name_of(attestor), attestor) == name_of(attestor)


def test_a_renewal_keeps_the_key_and_takes_no_other(site: Site, attestor: SoftwareAttestor) -> None:
    token, key = site.token(), new_key()
    wished = replace(token.identity, node=NODE, attestation=name_of(attestor))
    request = new_request(key, wished)
    evidence = attestor.quote(enrolment_binding(request), ())
    message = Certify(1, request, token.sign(request), token=token.id, evidence=evidence)
    chain = list(site.desk.certify(message, site.now).chain)
    renewed = read_certificate(site.renew(chain, key, wished)[0])
    assert renewed.identity.attestation == name_of(attestor)
    with pytest.raises(RefusalError, match="a renewal is for the same"):
        site.renew(chain, key, replace(wished, attestation=f"tpm:{'0' * 64}"))


def test_what_the_ledger_wrote_before_there_were_such_keys_is_read(site: Site) -> None:
    from tracker.ca.ledger import _identity

    assert _identity(json.dumps(["fleet", "daemon", "eu", "host-1", []])).attestation == ""
