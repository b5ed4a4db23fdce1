"""The attestor that a configuration names."""

import os

from . import Attestor
from .config import AttestationConfig
from .software import SoftwareAttestor

DIRECTORY = "attestation"


def load_attestor(config: AttestationConfig, state_directory: str) -> Attestor | None:
    """None where this machine proves nothing. Touches neither files nor TPM."""
    if config.kind == "software":
        return SoftwareAttestor(os.path.join(state_directory, DIRECTORY))
    if config.kind == "tpm":
        from .tpm import TpmAttestor  # what it loads costs 10 MB

        return TpmAttestor(config)
    return None
