"""What a manifest may hold at most. Each bound keeps a hostile or mistaken document from costing more than it may."""

from typing import Final

MANIFEST_BYTES_MAX: Final = 64 * 2**20
"""Before and after compression. A release of 10 GB in chunks of 320 KiB needs 1.2 MB; this leaves room for 2**20 pieces
and their files.
"""

PIECES_MAX: Final = 2**20
"""36 bytes each in the manifest. Above it, take a profile with larger chunks."""

ENTRIES_MAX: Final = 2**19
"""Files, directories and symlinks of one release. About 1 KB of memory each when decoded."""

PATH_BYTES_MAX: Final = 4096
"""UTF-8, of a path and of a symlink's target; PATH_MAX on Linux."""

COMPONENT_BYTES_MAX: Final = 255
"""UTF-8, of one name between slashes; NAME_MAX nearly everywhere."""

CHUNK_BYTES_MAX: Final = 16 * 2**20
"""Held in memory whole by whoever verifies it."""

STREAM_BYTES_MAX: Final = PIECES_MAX * CHUNK_BYTES_MAX
"""All files of one release together: 16 TiB."""

SEQUENCE_MAX: Final = 2**63 - 1
"""Fits a signed 64-bit column."""

HEALTH_ARGUMENTS_MAX: Final = 64
"""Words of a health check's command."""

HEALTH_ARGUMENT_BYTES_MAX: Final = 4096
"""UTF-8, of one word."""

HEALTH_TIMEOUT_MAX_S: Final = 3600.0
"""Of one attempt, and of the pause between two."""

HEALTH_ATTEMPTS_MAX: Final = 100
"""Tries before a release counts as sick."""

PACKS_MAX: Final = 16
"""Named by one release: one for each base worth a patch, one for devices without any."""
