"""What we use of python-tuf and securesystemslib, by their public names.

Both re-export these from the modules below without saying so to type checkers, which therefore are shown where the
names are defined. At run time only the public modules are touched.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securesystemslib.signer._crypto_signer import CryptoSigner
    from securesystemslib.signer._key import Key, SSlibKey
    from securesystemslib.signer._signature import Signature
    from securesystemslib.signer._signer import Signer
    from tuf.api._payload import (
        DelegatedRole,
        Delegations,
        MetaFile,
        Root,
        Signed,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )
    from tuf.api.metadata import Metadata
    from tuf.ngclient.updater import Updater
else:
    from securesystemslib.signer import CryptoSigner, Key, Signature, Signer, SSlibKey
    from tuf.api.metadata import (
        DelegatedRole,
        Delegations,
        Metadata,
        MetaFile,
        Root,
        Signed,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )
    from tuf.ngclient import Updater

__all__ = [
    "CryptoSigner",
    "DelegatedRole",
    "Delegations",
    "Key",
    "MetaFile",
    "Metadata",
    "Root",
    "SSlibKey",
    "Signature",
    "Signed",
    "Signer",
    "Snapshot",
    "TargetFile",
    "Targets",
    "Timestamp",
    "Updater",
]
