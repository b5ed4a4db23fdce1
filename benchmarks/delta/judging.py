"""What the figures of one pair, and of all pairs together, say about our claims."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .opponents import Result

OURS: Final = "ours"
SMALL_BYTES: Final = 200_000
REQUEST_BYTES_MIN: Final = 256 * 1024
REQUESTS_FREE: Final = 3
"""A manifest or edits, a large pack's manifest, its index."""
MANIFEST_BYTES_FREE: Final = 64 * 1024
MANIFEST_SHARE_MAX: Final = 0.03
APPLY_RSS_MAX: Final = 64 * 2**20
APPLY_BYTES_PER_CPU_S_MIN: Final = 300e6
APPLY_CPU_S_FREE: Final = 0.02
"""Whatever the size: an update of a file of 200 KB takes 5 ms, none of it for its bytes."""
MEDIAN_MAX: Final = {"xdelta3 -9 lzma": 0.65, "casync 64K": 0.25, "zchunk": 0.25}
WORST_MAX: Final = {"xdelta3 -9 lzma": 1.0, "casync 64K": 0.4, "zchunk": 0.4, "bsdiff": 1.1}
SMALL_WORST_MAX: Final = {"bsdiff": 1.3}
IMAGE_SHARES_MAX: Final = {"/squashfs": 0.18, "@weekly/": 0.03, "os:desktop@months/": 0.07, "@months/": 0.05}
"""Of a root file system's image, by what its pair's name has in it; the first that fits counts."""
OPENED_SHARE_MAX: Final = 0.01
"""Of a weekly one, with every stream opened that can be."""
OPENED: Final = "all streams opened"


@dataclass(frozen=True)
class Compared:
    """All ways for one pair."""

    pair: str
    old_bytes: int
    new_bytes: int
    results: tuple[Result, ...]

    @property
    def ours(self) -> list[Result]:
        """Our profiles with patches."""
        return [one for one in self.results if one.method.startswith(OURS) and not one.skipped]

    @property
    def best(self) -> Result | None:
        """The profile of ours that fetches least."""
        return min(self.ours, key=lambda one: one.fetch_bytes, default=None)

    def ratio(self, opponent: str) -> float | None:
        """Our bytes over theirs; None where either was not run."""
        theirs = next((one for one in self.results if one.method == opponent and not one.skipped), None)
        return self.best.fetch_bytes / theirs.fetch_bytes if self.best and theirs else None


def broken_claims(compared: Sequence[Compared]) -> list[str]:
    """Each claim that the figures don't bear out, in words; none: all hold."""
    found = [words for pair in compared for words in _of_one(pair)]
    for opponent, most in MEDIAN_MAX.items():
        ratios = [ratio for pair in compared if (ratio := pair.ratio(opponent)) is not None]
        if ratios and statistics.median(ratios) > most:
            found.append(f"median of {statistics.median(ratios):.2f} x {opponent}, {most} claimed")
    return found


def _of_one(pair: Compared) -> list[str]:
    wrong = [one.method for one in pair.results if not one.equal and not one.skipped]
    found = [f"{pair.pair}: {method} did not bring the same bytes" for method in wrong]
    found += [
        f"{pair.pair}: {one.method} was not run: {one.skipped}"
        for one in pair.results
        if one.method.startswith(OURS) and one.skipped
    ]
    for opponent, most in WORST_MAX.items():
        ratio = pair.ratio(opponent)
        theirs = next((one.fetch_bytes for one in pair.results if one.method == opponent), 0)
        if theirs < SMALL_BYTES:
            most = SMALL_WORST_MAX.get(opponent, most)
        if ratio is not None and ratio > most:
            found.append(f"{pair.pair}: {ratio:.2f} x {opponent}, {most} claimed")
    found += [f"{pair.pair}: {words}" for words in _of_image(pair)]
    for one in pair.ours:
        found += [f"{pair.pair}: {one.method} {words}" for words in _of_ours(one, pair.new_bytes)]
    return found


def _of_image(pair: Compared) -> Iterator[str]:
    most = next((share for part, share in IMAGE_SHARES_MAX.items() if part in pair.pair), None)
    if not pair.pair.startswith("os:") or most is None:
        return
    if pair.best and pair.best.fetch_bytes > most * pair.new_bytes:
        yield f"{pair.best.fetch_bytes / pair.new_bytes:.2%} of the image, {most:.0%} claimed"
    for one in pair.results:
        if one.method == OPENED and "@weekly/" in pair.pair and one.fetch_bytes > OPENED_SHARE_MAX * pair.new_bytes:
            yield f"{one.method}: {one.fetch_bytes / pair.new_bytes:.2%} of the image, {OPENED_SHARE_MAX:.0%} claimed"


def _of_ours(one: Result, new_bytes: int) -> list[str]:
    found = []
    requests_max = REQUESTS_FREE + -(-one.fetch_bytes // REQUEST_BYTES_MIN)
    if one.requests > requests_max:
        found.append(f"makes {one.requests} requests for {one.fetch_bytes} bytes, {requests_max} claimed")
    manifest_max = max(MANIFEST_BYTES_FREE, MANIFEST_SHARE_MAX * one.fetch_bytes)
    if one.manifest_bytes > manifest_max:
        found.append(f"has {one.manifest_bytes} bytes of manifests, {manifest_max:.0f} claimed")
    if one.apply.rss_bytes > APPLY_RSS_MAX:
        found.append(f"holds {one.apply.rss_bytes >> 20} MiB while applying, {APPLY_RSS_MAX >> 20} claimed")
    if one.apply.cpu_s > APPLY_CPU_S_FREE and new_bytes / one.apply.cpu_s < APPLY_BYTES_PER_CPU_S_MIN:
        speed = new_bytes / one.apply.cpu_s / 1e6
        found.append(f"applies {speed:.0f} MB a CPU second, {APPLY_BYTES_PER_CPU_S_MIN / 1e6:.0f} claimed")
    return found
