"""The table `[patching]` of the configuration: what is made from what lies here already."""

import os
from dataclasses import dataclass

from manifests.nested.recipes import MEMORY_BYTES_MAX


@dataclass(frozen=True)
class PatchingConfig:
    """`packs`: use packs at all. `dear_link`: bytes cost more than time here, so where no older release is held, pieces
    are fetched compressed. `fallback_bytes_max`: what one download may fetch as it is because a pack could not be had
    or used (0: no limit); above it the download waits, and says so. `keep_s`: packs are shared for so long.
    `recompressing_bytes_max`: memory that making a compressed stream again may take (0: nothing is opened).
    `seeds`: files or block devices in which old bytes may lie; nothing of them is trusted.
    """

    packs: bool = True
    dear_link: bool = False
    fallback_bytes_max: int = 0
    keep_s: float = 6 * 3600.0
    recompressing_bytes_max: int = MEMORY_BYTES_MAX
    seeds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.fallback_bytes_max < 0 or self.keep_s < 0 or self.recompressing_bytes_max < 0:
            raise ValueError("fallback_bytes_max, keep_s and recompressing_bytes_max must not be negative")
        for path in self.seeds:
            if not os.path.isabs(path):
                raise ValueError(f"seeds: {path!r} must be an absolute path")
