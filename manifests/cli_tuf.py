"""`p2p-manifest tuf-client`: our trust code as an ordinary TUF client, for theupdateframework's conformance suite.

The metadata goes through the very `TrustChain` that the daemon looks releases up with; only the question differs: any
target of any repository, by the rules of TUF alone, where the daemon asks for both parties' word. The next root is
asked for each time, as TUF has it.
"""

import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from tuf.api.exceptions import LengthOrHashMismatchError

from .console import EXIT_FAILED, EXIT_OK, Console, UsageError
from .errors import ManifestError, MetadataUnavailableError, UnknownReleaseError, UntrustedReleaseError
from .trust import TrustChain, Wanted
from .trust_files import replace_durably
from .trust_updater import METADATA_URL, DurableUpdater
from .tuf_api import TargetFile

TARGET_BYTES_MAX: Final = 64 * 2**20
"""Held in memory while it is verified; content of any size is the daemon's business."""
SILENCE_S: Final = 10.0
SLOWEST_BYTES_PER_S: Final = 16 * 1024
PATIENCE_S: Final = 10.0
"""A file may take so long, and as long as its largest size takes at the slowest rate."""
_MISSING: Final = (403, 404)
"""Both say that there is no newer root; a bucket that may not be listed answers 403."""
Answer = TypeVar("Answer")


def tuf_client(arguments: Namespace, console: Console) -> int:
    """`tuf-client`: exit code 0 when all of it succeeded, else 1."""
    try:
        _ACTIONS[arguments.action](arguments)
    except (ManifestError, OSError) as error:
        console.error(str(error))
        return EXIT_FAILED
    value = {"action": arguments.action, "metadata": arguments.metadata_dir}
    console.result(value, lambda: print(f"{arguments.action}: done, metadata in {arguments.metadata_dir}"))
    return EXIT_OK


def _init(arguments: Namespace) -> None:
    directory = Path(arguments.metadata_dir)
    directory.mkdir(parents=True, exist_ok=True)
    replace_durably(directory / "root.json", Path(arguments.trusted_root).read_bytes())


def _refresh(arguments: Namespace) -> None:
    with _Client(arguments) as client:
        client.ask(lambda updater: None)


def _download(arguments: Namespace) -> None:
    if not (arguments.target_name and arguments.target_base_url and arguments.target_dir):
        raise UsageError("download needs --target-name, --target-base-url and --target-dir")
    with _Client(arguments) as client:
        for name in arguments.target_name:
            client.download(name, arguments.target_base_url, Path(arguments.target_dir))


_ACTIONS: Final[dict[str, Callable[[Namespace], None]]] = {"init": _init, "refresh": _refresh, "download": _download}


class _Client:
    """One run: what was fetched is fetched once."""

    def __init__(self, arguments: Namespace) -> None:
        if not arguments.metadata_url:
            raise UsageError(f"{arguments.action} needs --metadata-url")
        cache = Path(arguments.metadata_dir)
        self._chain = TrustChain((cache / "root.json").read_bytes(), cache, time.time, root_every_s=0.0)
        self._metadata_url = arguments.metadata_url.rstrip("/")
        self._fetched: dict[str, bytes | None] = {}
        self._http = httpx.Client(timeout=SILENCE_S, trust_env=False, follow_redirects=False)

    def __enter__(self) -> "_Client":
        return self

    def __exit__(self, *details: object) -> None:
        self._http.close()

    def ask(self, question: Callable[[DurableUpdater], Answer]) -> Answer:
        """The chain's answer; fetches what it wants."""
        while isinstance(answer := self._chain.ask(question, self._fetched), Wanted):
            path = answer.path.removeprefix(METADATA_URL)
            self._fetched[answer.path] = _fetch(self._http, f"{self._metadata_url}/{path}", answer.max_bytes)
        return answer

    def download(self, name: str, base_url: str, directory: Path) -> None:
        """The target, verified, in a file of its quoted name; nothing if it is there."""
        target, path = self.ask(lambda updater: _locate(updater, name))
        file = directory / quote(name, safe="")
        if file.is_file() and _verifies(target, file.read_bytes()):
            return
        if target.length > TARGET_BYTES_MAX:
            raise UntrustedReleaseError(f"{name} has {target.length} bytes, at most {TARGET_BYTES_MAX} are taken")
        data = _fetch(self._http, f"{base_url.rstrip('/')}/{path}", target.length)
        if data is None:
            raise MetadataUnavailableError(f"there is no {path}")
        if not _verifies(target, data):
            raise UntrustedReleaseError(f"{name} is not what was signed")
        directory.mkdir(parents=True, exist_ok=True)
        replace_durably(file, data)


def _locate(updater: DurableUpdater, name: str) -> tuple[TargetFile, str]:
    """The target, and where it lies below the base URL."""
    target = updater.get_targetinfo(name)
    if target is None:
        raise UnknownReleaseError(f"no role has signed {name}")
    if not updater.root.consistent_snapshot:
        return target, name
    directory, slash, base = name.rpartition("/")
    return target, f"{directory}{slash}{next(iter(target.hashes.values()))}.{base}"


def _verifies(target: TargetFile, data: bytes) -> bool:
    try:
        target.verify_length_and_hashes(data)
    except LengthOrHashMismatchError:
        return False
    return True


def _fetch(http: httpx.Client, url: str, max_bytes: int) -> bytes | None:
    """The body, one byte more than allowed at most; None for a file that is not there."""
    deadline, body = time.monotonic() + PATIENCE_S + max_bytes / SLOWEST_BYTES_PER_S, bytearray()
    with _reached(url), http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
        if response.status_code in _MISSING:
            return None
        if response.status_code != 200:
            raise MetadataUnavailableError(f"{url}: HTTP {response.status_code}")
        for part in response.iter_raw():
            body += part
            if len(body) > max_bytes:
                return bytes(body[: max_bytes + 1])
            if time.monotonic() > deadline:
                raise MetadataUnavailableError(f"{url}: only {len(body)} bytes in time")
    return bytes(body)


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise MetadataUnavailableError(f"{url}: {str(error) or type(error).__name__}") from error
