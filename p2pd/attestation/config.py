"""The table `[attestation]` of the daemon's configuration."""

import os
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("", "software", "tpm")
NV_BASE: Final = 0x0180_5000
"""Of the indices that a TPM leaves to its owner (0x01800000 to 0x01BFFFFF); other software's are elsewhere."""


@dataclass(frozen=True)
class AttestationConfig:
    """How this machine shows what it runs. `kind`: '' (not at all), `software` or `tpm`. `tcti`: how the TPM is
    reached, as the TPM's own tools say it. `owner_password_file`: of the TPM's owner, if one was set. `nv_base`: where
    this machine's release counters begin in the TPM's memory."""

    kind: str = ""
    tcti: str = "device:/dev/tpmrm0"
    owner_password_file: str = ""
    nv_base: int = NV_BASE

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind = {self.kind!r}: expected software or tpm, or nothing")
        if not 0x0180_0000 <= self.nv_base <= 0x01BF_FF00:
            raise ValueError(f"nv_base = {self.nv_base:#x}: must be from 0x01800000 to 0x01BFFF00")
        if self.owner_password_file and not os.path.isabs(self.owner_password_file):
            raise ValueError(f"owner_password_file = {self.owner_password_file!r}: must be an absolute path")
