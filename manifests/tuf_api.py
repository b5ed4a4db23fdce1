"""What we use of python-tuf and securesystemslib, by their public names.

Both re-export these from the modules below without saying so to type checkers, which therefore are shown where the
names are defined. At run time only the public modules are touched, and one is left out: tuf's own way to fetch. We hand
its Updater another (`trust_updater.py`), and the urllib3 that it would load is a tenth of a daemon's start.
"""

import sys
from types import ModuleType
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
    from tuf.ngclient.fetcher import FetcherInterface
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

    _left_out = ModuleType("tuf.ngclient.urllib3_fetcher")
    _left_out.Urllib3Fetcher = type("Urllib3Fetcher", (), {})
    sys.modules.setdefault(_left_out.__name__, _left_out)
    from tuf.ngclient import FetcherInterface, Updater

__all__ = [
    "CryptoSigner",
    "DelegatedRole",
    "Delegations",
    "FetcherInterface",
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
