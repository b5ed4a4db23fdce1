"""A conversation with this machine's TPM 2.0: opened, used and closed, so that others can use it in between.

The one place where tpm2-pytss is loaded and where its errors become ours.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from . import AttestationError
from .config import AttestationConfig

if TYPE_CHECKING:
    from tpm2_pytss import ESAPI

PASSWORD_BYTES_MAX: Final = 64
"""A TPM takes no longer one than its longest digest."""
_one_at_a_time: Final = threading.Lock()
"""A bare device (`/dev/tpm0`, or a software TPM) has room for one conversation."""


@contextmanager
def tpm_session(config: AttestationConfig) -> Iterator["ESAPI"]:
    """The TPM, its owner's password given. Blocks; AttestationError."""
    os.environ.setdefault("TSS2_LOG", "all+NONE")  # what it would print we raise
    try:
        from tpm2_pytss import ESAPI, ESYS_TR, TCTILdr, TSS2_Exception
    except (ImportError, NotImplementedError) as error:
        raise AttestationError(
            f"there is no TPM support here ({error}): apt-get install libtss2-dev, then pip install p2pd[tpm]"
        ) from error
    password = _password(config.owner_password_file)
    with _one_at_a_time:
        try:
            with TCTILdr.parse(config.tcti) as tcti, ESAPI(tcti) as esapi:
                esapi.tr_set_auth(ESYS_TR.OWNER, password)
                yield esapi
        except TSS2_Exception as error:
            raise AttestationError(_explained(config.tcti, error)) from error


def _password(path: str) -> bytes:
    if not path:
        return b""
    try:
        with open(path, "rb") as file:
            return file.read(PASSWORD_BYTES_MAX + 1).rstrip(b"\n")[:PASSWORD_BYTES_MAX]
    except OSError as error:
        raise AttestationError(f"the TPM's owner password: {path}: {error.strerror}") from error


def _explained(tcti: str, error: Any) -> str:
    """What went wrong, and what a person can do about it."""
    said = str(error)
    if "tcti" in said:
        return (
            f"no TPM 2.0 answers at {tcti} ({said}): is it enabled in the firmware, and may this user open it "
            "(group tss)? Where there is none, set attestation.kind to software"
        )
    if "auth" in said.lower():
        return f"the TPM's owner has a password that is not ours ({said}): set attestation.owner_password_file"
    return f"the TPM at {tcti} refuses: {said}"
