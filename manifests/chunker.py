"""Where to cut: content-defined chunks, the same on every machine that publishes.

One seam around pyfastcdc (FastCDC 2020, normalisation level 1, the paper's own gear table). Identical profiles give
identical cuts; `tests/vectors/chunks.json` fixes some, so that a new version of the library can't silently change what
the whole fleet would have to fetch again.

A tree is cut as files in entry order. A file at least as large as the profile's average is cut by itself, so that it
costs nothing when it moves or gets another name; runs of smaller files are cut as one stream, so that 10,000 tiny files
are not 10,000 requests. (Cutting before large files reduced what had to be fetched by a third in measurements on
system images.)
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from pyfastcdc import FastCDC

from .errors import MalformedManifestError
from .manifest import Profile

PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile("device", 32 * 2**10, 128 * 2**10, 512 * 2**10),
        Profile("swarm", 64 * 2**10, 96 * 2**10, 128 * 2**10),
        Profile("host", 64 * 2**10, 256 * 2**10, 2**20),
        Profile("bulk", 2**20, 2 * 2**20, 4 * 2**20),
    )
}
"""By name. Small chunks for links where bytes are dear, large ones where requests are; small and even ones where a
release comes whole over narrow links, for a peer passes on what it has all of: the largest chunk says how far the last
peer is behind the first. Of an update of a few lines the digests of new pieces are half, so there the largest are best;
but a device that applies a pack holds four or five of them, and 64 MiB are what a phone has for that.
"""

_NORMALIZATION: Final = 1
_SEED: Final = 0


class Readable(Protocol):
    """A stream of bytes, such as an open file. `readinto` fills a buffer and says how much; 0 at the end."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to `len(buffer)` bytes."""
        ...


def profile(name: str) -> Profile:
    """The profile of a name; MalformedManifestError for an unknown one."""
    try:
        return PROFILES[name]
    except KeyError:
        raise MalformedManifestError(f"unknown chunking profile {name!r}; known: {', '.join(PROFILES)}") from None


def runs(sizes: Sequence[int], average_bytes: int) -> Iterator[range]:
    """Files to be cut as one stream, as ranges of indices: each large file alone, small neighbours together."""
    start = 0
    for index, size in enumerate(sizes):
        if size >= average_bytes:
            if start < index:
                yield range(start, index)
            yield range(index, index + 1)
            start = index + 1
    if start < len(sizes):
        yield range(start, len(sizes))


def cut(stream: Readable, profile: Profile) -> Iterator[memoryview]:
    """The chunks of one stream, in order. Each is valid only until the next is asked for; about 2 x the largest chunk
    is held in memory, whatever the length of the stream.
    """
    for chunk in _cutter(profile).cut_stream(stream):
        yield chunk.data


def lengths(buffers: Iterable[bytes], profile: Profile) -> list[int]:
    """The lengths of the chunks that these buffers, laid end to end, are cut into."""
    return [len(chunk) for chunk in cut_joined(buffers, profile)]


def cut_joined(buffers: Iterable[bytes], profile: Profile) -> Iterator[memoryview]:
    """The chunks of these buffers, laid end to end; otherwise as `cut`."""
    return cut(_Joined(buffers), profile)


def _cutter(profile: Profile) -> FastCDC:
    return FastCDC(
        profile.average_bytes,
        min_size=profile.min_bytes,
        max_size=profile.max_bytes,
        normalized_chunking=_NORMALIZATION,
        seed=_SEED,
    )


class _Joined:
    def __init__(self, buffers: Iterable[bytes]) -> None:
        self._buffers = iter(buffers)
        self._left = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        while not self._left:
            following = next(self._buffers, None)
            if following is None:
                return 0
            self._left = memoryview(following)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
