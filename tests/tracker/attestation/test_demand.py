"""What an operator may demand, and what a host must have shown for it."""

import pytest

from tracker.attestation.demand import Demand

GOOD, ALSO, BAD = bytes(32), bytes([1]) * 32, bytes([2]) * 32


@pytest.mark.parametrize("entry", ["7", "7=", "x=00", "24=" + "00" * 32, "-1=" + "00" * 32, "7=" + "00" * 20, "7=zz"])
def test_what_is_no_register_and_value_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="pcrs"):
        Demand(pcrs=(entry,))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="tpm or software"):
        Demand("magic")


def test_a_software_key_has_no_registers() -> None:
    with pytest.raises(ValueError, match="only a TPM"):
        Demand("software", (f"7={GOOD.hex()}",))


def test_a_register_that_is_named_twice_may_hold_either_value() -> None:
    demand = Demand(pcrs=(f"7={GOOD.hex()}", f"7={ALSO.hex()}"))
    assert [demand.objection("tpm", {7: held}) == "" for held in (GOOD, ALSO, BAD)] == [True, True, False]


def test_every_register_counts_and_one_that_was_not_shown_too() -> None:
    demand = Demand(pcrs=(f"0={GOOD.hex()}", f"7={GOOD.hex()}"))
    assert demand.objection("tpm", {0: GOOD, 7: GOOD, 9: BAD}) == ""
    assert "register 7 holds 0202" in demand.objection("tpm", {0: GOOD, 7: BAD})
    assert "register 7 holds nothing" in demand.objection("tpm", {0: GOOD})


def test_a_tpm_does_where_a_software_key_would() -> None:
    assert Demand("software").objection("tpm", {}) == Demand("software").objection("software", {}) == ""
    assert "demands a TPM" in Demand("tpm").objection("software", {})
