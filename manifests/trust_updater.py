"""The seam to python-tuf's client: its Updater, told the time, fed from a mapping, writing durably.

tuf's client is synchronous and fetches by itself. Here it finds what it asks for in a mapping; what is missing is
raised as `NeededError`, all the way out, so that the caller may fetch it in its own way and go on with the same client
(to verify everything again for each file costs a first visit twice as much).

Some names are not public in tuf 7.0 (`_trusted_set`, its `reference_time`, `_persist_file`, and the four steps of
`refresh`); they are used here and nowhere else, and `tests/manifests/test_trust_seam.py` fails when one goes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadHTTPError, DownloadLengthMismatchError

from .errors import MetadataUnavailableError
from .trust_files import replace_durably
from .tuf_api import FetcherInterface, Root, Snapshot, Targets, Updater

METADATA_URL: Final = "metadata/"
"""Relative: what is asked for *is* the path in the blob store."""
TIMESTAMP_PATH: Final = f"{METADATA_URL}timestamp.json"
TIMESTAMP_BYTES_MAX: Final = 16_384
"""tuf's own bound."""
_VERSIONED: Final = re.compile(r"metadata/(?:\d+\.)?(?P<role>.+)\.json")
_ROOT: Final = re.compile(r"metadata/\d+\.root\.json")
_NOT_FOUND: Final = 404


class NeededError(Exception):
    """The client asks for a file that nobody fetched yet. Not a failure: it becomes `Wanted`."""

    def __init__(self, path: str, max_bytes: int) -> None:
        super().__init__(path)
        self.path = path
        self.max_bytes = max_bytes


class MappingFetcher(FetcherInterface):
    """Answers from `fetched` (None: the server said 404) and, when `offline_cache` is given, from the files there.

    `settled_by`: while the timestamp is this one, the next root is not asked for.
    """

    def __init__(
        self,
        fetched: Mapping[str, bytes | None],
        offline_cache: Path | None = None,
        *,
        settled_by: bytes | None = None,
    ) -> None:
        self._fetched = fetched
        self._offline_cache = offline_cache
        self._settled_by = settled_by

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """The file, without tuf's detour over a temporary one."""
        data = self._find(url, max_length)
        if len(data) > max_length:
            raise DownloadLengthMismatchError(f"{url} has {len(data)} bytes, at most {max_length} are allowed")
        return data

    def _fetch(self, url: str) -> Iterator[bytes]:
        # Eager: as a generator its errors would come after tuf's wrapper around this call.
        return iter((self._find(url, 0),))

    def _find(self, path: str, max_bytes: int) -> bytes:
        if path not in self._fetched:
            if self._offline_cache is not None:
                return self._cached(path, self._offline_cache)
            if self._settled_by is not None and _ROOT.fullmatch(path) and self._timestamp() == self._settled_by:
                raise DownloadHTTPError("not asked for: the timestamp is the same as last time", _NOT_FOUND)
            raise NeededError(path, max_bytes)
        data = self._fetched[path]
        if data is None:
            raise DownloadHTTPError(f"there is no {path}", _NOT_FOUND)
        return data

    def _timestamp(self) -> bytes | None:
        if TIMESTAMP_PATH not in self._fetched:
            raise NeededError(TIMESTAMP_PATH, TIMESTAMP_BYTES_MAX)
        return self._fetched[TIMESTAMP_PATH]

    def _cached(self, path: str, cache: Path) -> bytes:
        match = _VERSIONED.fullmatch(path)
        role = match["role"] if match else ""
        if role == "root":  # the next root is what is asked for; those known are in the cache's history
            raise DownloadHTTPError("offline: no newer root is known", _NOT_FOUND)
        try:
            return (cache / f"{role}.json").read_bytes()
        except FileNotFoundError:
            raise MetadataUnavailableError(f"offline, and {role}.json is not among the cached metadata") from None


class DurableUpdater(Updater):
    """tuf's client whose cache survives a power cut, which goes on after a `NeededError`, and whose verified roles can
    be looked at."""

    _refreshed = 0
    """Steps that are done."""

    def refresh(self) -> None:
        """Read and verify the top-level roles: from the first that is not yet, when something was missing before.

        A step that is begun again finds what it read as it left it: of a role, the same version changes nothing.
        """
        steps = (self._load_root, self._load_timestamp, self._load_snapshot)
        while self._refreshed < len(steps):
            steps[self._refreshed]()
            self._refreshed += 1
        self._load_targets(Targets.type, Root.type)

    def go_on(self, now: float) -> bool:
        """Is all that was verified until now still valid? Then it need not be verified again."""
        _set_time(self, now)
        return not any(role.is_expired(self._trusted_set.reference_time) for role in self._trusted_set)

    def _persist_file(self, filename: str, data: bytes) -> None:
        replace_durably(Path(filename), data)

    @property
    def root(self) -> Root:
        """The newest verified root so far."""
        return self._trusted_set.root

    @property
    def top_targets(self) -> Targets:
        """The verified top-level targets role, after `refresh`."""
        return self._trusted_set.targets

    @property
    def snapshot(self) -> Snapshot:
        """The verified snapshot, after `refresh`."""
        return self._trusted_set.snapshot

    def expected(self, role: str, cache: Path) -> tuple[str, int] | None:
        """The path of a role's metadata by the verified snapshot, and how large it may be; None without a snapshot, or
        when it is in the cache."""
        if not self._trusted_set.contains(Snapshot.type, Root.type):
            return None
        listed = self._trusted_set.snapshot.meta.get(f"{role}.json")
        if listed is None or listed.version == _version_in(cache / f"{role}.json"):
            return None
        return f"{METADATA_URL}{listed.version}.{role}.json", listed.length or self.config.targets_max_length

    def role(self, name: str) -> Targets | None:
        """A delegated role, if it was verified as delegated by the top-level targets role."""
        if not self._trusted_set.contains(name, Targets.type):
            return None
        found = self._trusted_set[name]
        return found if isinstance(found, Targets) else None


def _version_in(path: Path) -> int | None:
    try:
        version = json.loads(path.read_bytes())["signed"]["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None


def open_updater(root: bytes, cache: Path, fetcher: FetcherInterface, now: float) -> DurableUpdater:
    """A client that starts from the pinned `root` and believes that it is `now` (POSIX seconds, UTC)."""
    cache.mkdir(parents=True, exist_ok=True)
    updater = DurableUpdater(str(cache), METADATA_URL, fetcher=fetcher, bootstrap=root)
    _set_time(updater, now)
    return updater


def _set_time(updater: DurableUpdater, now: float) -> None:
    # tuf takes the machine's clock when it constructs the set and compares with it ever after. A simulation, or a
    # device without a clock, has another idea of the time.
    trusted_set = updater._trusted_set
    if not hasattr(trusted_set, "reference_time"):
        raise AttributeError("tuf's TrustedMetadataSet.reference_time is gone: expiry would follow the wrong clock")
    trusted_set.reference_time = datetime.fromtimestamp(now, UTC)
