"""A TPM for those tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pd.attestation import Attestor
from p2pd.attestation.config import AttestationConfig
from p2pd.attestation.software import SoftwareAttestor
from p2pd.attestation.tpm import TpmAttestor
from tests.fakes.tpm import software_tpm


@pytest.fixture(scope="session")
def tcti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TPM for all of them: no test depends on what it holds but by names of its own."""
    with software_tpm(tmp_path_factory.mktemp("tpm")) as found:
        yield found


@pytest.fixture
def tpm(tcti: str) -> TpmAttestor:
    return TpmAttestor(AttestationConfig("tpm", tcti))


@pytest.fixture(params=["software", "tpm"])
def attestor(request: pytest.FixtureRequest, tmp_path: Path) -> Attestor:
    """Each member of the seam."""
    if request.param == "software":
        return SoftwareAttestor(str(tmp_path / "attestation"))
    found: TpmAttestor = request.getfixturevalue("tpm")
    return found
