"""Both members of the seam keep the same promises; the TPM is a real one, in software."""

import os
from pathlib import Path
from typing import Any

import pytest
from tpm2_pytss import ESYS_TR, TPM2_NT, TPMA_NV

from p2pd.attestation import AttestationError, Attestor, tpm_counters
from p2pd.attestation.config import NV_BASE, AttestationConfig
from p2pd.attestation.evidence import RefusedEvidenceError, check, key_name
from p2pd.attestation.software import SoftwareAttestor
from p2pd.attestation.tpm import TpmAttestor
from p2pd.attestation.tpm_counters import STEPS_MAX
from p2pd.attestation.tpm_session import tpm_session
from tests.fakes.tpm import software_tpm

BINDING = bytes(range(32))


def test_the_key_is_the_same_each_time(attestor: Attestor) -> None:
    assert attestor.key() == attestor.key()


def test_a_quote_proves_itself_to_who_knows_the_key(attestor: Attestor) -> None:
    assert check(attestor.quote(BINDING, ()), key_name(attestor.kind, attestor.key()), BINDING, ()) == {}


def test_a_quote_for_one_question_is_none_for_another(attestor: Attestor) -> None:
    with pytest.raises(RefusedEvidenceError, match="another question"):
        check(attestor.quote(BINDING, ()), key_name(attestor.kind, attestor.key()), bytes(32), ())


def test_nothing_is_remembered_of_a_product_that_never_ran(attestor: Attestor) -> None:
    assert attestor.floor("never") is None


def test_the_highest_sequence_is_remembered_for_each_product(attestor: Attestor) -> None:
    for product, sequence in (("web", 7), ("api", 3), ("web", 9), ("web", 8)):
        attestor.raise_floor(product, sequence)
    assert (attestor.floor("web"), attestor.floor("api")) == (9, 3)


def test_a_great_step_is_remembered_like_a_small_one(attestor: Attestor) -> None:
    for sequence in (1, 1_800_000_000, 1_800_000_001):
        attestor.raise_floor("dated", sequence)
    assert attestor.floor("dated") == 1_800_000_001


def test_registers_say_what_was_measured_into_them(tpm: TpmAttestor) -> None:
    evidence = tpm.quote(BINDING, (7, 0))
    found = check(evidence, key_name("tpm", tpm.key()), BINDING, (0, 7))
    assert found == {number: tpm.registers()[number] for number in (0, 7)}


def test_a_tpm_remembers_when_the_disk_is_another_one(tmp_path: Path, tcti: str) -> None:
    TpmAttestor(AttestationConfig("tpm", tcti)).raise_floor("disk", 5)
    assert TpmAttestor(AttestationConfig("tpm", tcti)).floor("disk") == 5


def test_a_tpm_remembers_when_the_power_was_gone(tmp_path: Path) -> None:
    for sequence in (4, 5):
        with software_tpm(tmp_path / "tpm") as tcti:
            tpm = TpmAttestor(AttestationConfig("tpm", tcti))
            assert tpm.floor("web") == (sequence - 1 if sequence > 4 else None)
            tpm.raise_floor("web", sequence)


def test_no_owner_can_set_a_counter_back(tcti: str) -> None:
    """What a thief of the owner's password gets: a new counter, and none that begins lower than any there was."""
    config = AttestationConfig("tpm", tcti, nv_base=NV_BASE + 0x1000)
    TpmAttestor(config).raise_floor("web", 40)
    TpmAttestor(config).raise_floor("web", 60)
    with tpm_session(config) as esapi:
        counter = tpm_counters._index(esapi, config.nv_base)
        before = tpm_counters._count(esapi, counter)
        esapi.nv_undefine_space(counter)
        tpm_counters._define(esapi, config.nv_base, 0, bytes(32), 0)
        assert tpm_counters._count(esapi, tpm_counters._index(esapi, config.nv_base)) > before


def cut_short(esapi: Any, base: int, step: str) -> None:
    """What a power failure leaves of the pair at the first place, after this step of making it."""
    tpm_counters._remove(esapi, base, 0)
    counter = TPMA_NV.OWNERREAD | TPMA_NV.OWNERWRITE | TPMA_NV.NO_DA | TPM2_NT.COUNTER << TPMA_NV.TPM2_NT_SHIFT
    made = tpm_counters._new_index(esapi, base, counter, 8)
    if step != "counter defined":
        esapi.nv_increment(made, ESYS_TR.OWNER)
    if step == "anchor defined":
        plain = TPMA_NV.OWNERREAD | TPMA_NV.OWNERWRITE | TPMA_NV.WRITEDEFINE
        tpm_counters._new_index(esapi, base + 1, plain, tpm_counters._ANCHOR.size)


@pytest.mark.parametrize("step", ["counter defined", "counter counted", "anchor defined"])
def test_a_pair_cut_short_by_a_power_failure_counts_for_nothing_and_is_made_again(tcti: str, step: str) -> None:
    config = AttestationConfig("tpm", tcti, nv_base=NV_BASE + 0x2000)
    tpm = TpmAttestor(config)
    with tpm_session(config) as esapi:
        cut_short(esapi, config.nv_base, step)
    assert tpm.floor("web") is None
    tpm.raise_floor("web", 2)
    assert tpm.floor("web") == 2


def test_a_great_step_leaves_no_index_behind(tcti: str) -> None:
    config = AttestationConfig("tpm", tcti, nv_base=NV_BASE + 0x3000)
    TpmAttestor(config).raise_floor("web", 1)
    TpmAttestor(config).raise_floor("web", 2 + STEPS_MAX)
    with tpm_session(config) as esapi:
        assert len(tpm_counters._handles(esapi, config.nv_base)) == 2


def test_a_machine_without_a_tpm_is_told_what_to_do() -> None:
    with pytest.raises(AttestationError, match=r"no TPM 2\.0 answers at device:/dev/null.*set attestation.kind"):
        TpmAttestor(AttestationConfig("tpm", "device:/dev/null")).key()


def test_a_wrong_owner_password_is_told_as_such(tmp_path: Path) -> None:
    with software_tpm(tmp_path / "tpm") as tcti:
        plain = AttestationConfig("tpm", tcti)
        with tpm_session(plain) as esapi:
            esapi.hierarchy_change_auth(ESYS_TR.OWNER, b"secret")
        with pytest.raises(AttestationError, match="owner_password_file"):
            TpmAttestor(plain).key()
        (tmp_path / "password").write_text("secret\n")
        named = AttestationConfig("tpm", tcti, str(tmp_path / "password"))
        assert TpmAttestor(named).key()


def test_a_software_key_says_nothing_about_registers(tmp_path: Path) -> None:
    with pytest.raises(AttestationError, match="takes a TPM"):
        SoftwareAttestor(str(tmp_path)).quote(BINDING, (7,))


def test_a_software_key_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    SoftwareAttestor(str(tmp_path)).key()
    assert os.stat(tmp_path / "key.pem").st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b'{"web": "x"}', b"\xff"])
def test_a_damaged_memory_is_nobodys_to_guess(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "floors.json").write_bytes(content)
    with pytest.raises(AttestationError, match="damaged"):
        SoftwareAttestor(str(tmp_path)).floor("web")
