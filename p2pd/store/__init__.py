"""Where releases live on this machine: staged, installed, and served from their own files.

Synchronous; bodies call it within `world.run_blocking`, a whole job per hop. Safe from any thread.
"""

from .artifact import LOCAL_SOURCE, PATCH_SOURCE, Artifact
from .errors import (
    ArtifactElsewhereError,
    DestinationTakenError,
    NoSpaceError,
    NotWritableError,
    QuotaError,
    StoreError,
    StoreInUseError,
)
from .export import export
from .reading import read_part, read_together
from .reuse import REUSE_BATCH_BYTES, locate
from .spans import Span
from .store import Store

__all__ = [
    "LOCAL_SOURCE",
    "PATCH_SOURCE",
    "REUSE_BATCH_BYTES",
    "Artifact",
    "ArtifactElsewhereError",
    "DestinationTakenError",
    "NoSpaceError",
    "NotWritableError",
    "QuotaError",
    "Span",
    "Store",
    "StoreError",
    "StoreInUseError",
    "export",
    "locate",
    "read_part",
    "read_together",
]
