"""The blob store: a directory, or a bucket behind a URL, that holds chunks, manifests and metadata.

Synchronous, because obstore's async API needs asyncio: bodies call it in a thread. Paths are `/`-separated and
relative, the same that the seeder and any CDN serve; `docs/manifest.md` lists them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions as theirs
from obstore.store import LocalStore, ObjectStore, from_url

from .errors import BlobExistsError, NoSuchBlobError, StoreError

CHUNKS: Final = "chunks"
MANIFESTS: Final = "manifests"
METADATA: Final = "metadata"
EDITS: Final = "edits"
RELEASES: Final = "releases"


def chunk_path(digest: bytes) -> str:
    """Where a chunk's bytes are."""
    name = digest.hex()
    return f"{CHUNKS}/{name[:2]}/{name}"


def manifest_path(digest: bytes) -> str:
    """Where a manifest's bytes are."""
    return f"{MANIFESTS}/{digest.hex()}"


def edits_path(digest: bytes, base: bytes) -> str:
    """Where a manifest lies as edits of an earlier one."""
    return f"{EDITS}/{digest.hex()}/{base.hex()}"


class BlobStore:
    """Blobs by path at `url`: a directory, `file:///…`, `s3://bucket/prefix`, `gs://…`, `az://…`, `memory:///`.

    Puts are atomic: nobody sees half a blob. In a directory they are durable too. Credentials come from the
    environment, as each cloud's own tools take them. `create`: make the directory if it is missing.
    Raises StoreError (NoSuchBlobError, BlobExistsError).
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = url
        self._directory = _local_directory(url)
        self._unsynced: set[Path] = set()
        with _translated(url):
            self._store = self._open(create)

    def _open(self, create: bool) -> ObjectStore:
        if self._directory is None:
            return from_url(self.url)
        if not create and not self._directory.is_dir():
            raise StoreError(f"there is no blob store at {self.url}: no such directory")
        self._directory.mkdir(parents=True, exist_ok=True)
        return LocalStore(self._directory)

    def __repr__(self) -> str:
        return f"BlobStore({self.url!r})"

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes:
        """The blob's bytes; StoreError if there are more than `max_bytes`."""
        with _translated(path):
            if self._directory is not None:
                return _read(path, self._directory, max_bytes)
            found = obstore.get(self._store, path)
            _check_size(path, found.meta["size"], max_bytes)
            return bytes(found.bytes())

    def get_range(self, path: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`."""
        with _translated(path):
            return bytes(obstore.get_range(self._store, path, start=start, length=length))

    def head(self, path: str) -> int | None:
        """The blob's size in bytes, or None."""
        try:
            with _translated(path):
                return obstore.head(self._store, path)["size"]
        except NoSuchBlobError:
            return None

    def exists(self, path: str) -> bool:
        """Is there a blob?"""
        return self.head(path) is not None

    def list(self, prefix: str) -> list[str]:
        """Paths below the directory `prefix`, sorted."""
        with _translated(prefix):
            return sorted(meta["path"] for batch in obstore.list(self._store, prefix) for meta in batch)

    def put(self, path: str, data: bytes | memoryview, *, durable: bool = True) -> bool:
        """Put an immutable blob whose name is its content's digest. False if it was there.

        One of another length is damaged (a crash before its data reached the disk) and is put again. Not `durable`:
        in a directory the blob may be lost with the power until `sync` returns.
        """
        if self.head(path) == len(data):
            return False
        with _translated(path):
            obstore.put(self._store, path, data, mode="overwrite", use_multipart=False)
        self._written(path, durable)
        return True

    def put_new(self, path: str, data: bytes) -> None:
        """Put a blob that must not be there yet: BlobExistsError."""
        with _translated(path):
            obstore.put(self._store, path, data, mode="create", use_multipart=False)
        self._written(path, durable=True)

    def replace(self, path: str, data: bytes) -> None:
        """Put one of the few blobs that change."""
        with _translated(path):
            obstore.put(self._store, path, data, mode="overwrite", use_multipart=False)
        self._written(path, durable=True)

    def remove(self, path: str) -> bool:
        """Take away one of the few blobs that go; False if it was not there."""
        if not self.exists(path):
            return False
        with _translated(path):
            obstore.delete(self._store, path)
        return True

    def sync(self) -> None:
        """All that was put, by threads that are done, is durable."""
        files, self._unsynced = self._unsynced, set()
        self._sync(files)

    def _written(self, path: str, durable: bool) -> None:
        if self._directory is None:
            return
        if durable:
            self._sync({self._directory / path})
        else:
            self._unsynced.add(self._directory / path)

    def _sync(self, files: set[Path]) -> None:
        root = self._directory or Path()
        for file in sorted(files):
            _fsync(file)
        for directory in sorted({parent for file in files for parent in file.parents if parent.is_relative_to(root)}):
            _fsync(directory)


def _local_directory(url: str) -> Path | None:
    scheme, _, _ = url.partition("://")
    if scheme == url:
        return Path(url).absolute()
    return Path(unquote(urlsplit(url).path)) if scheme == "file" else None


def _read(path: str, directory: Path, bytes_max: int | None) -> bytes:
    """A file of the store. For a chunk, the library's own way takes as long again, by threads of its own."""
    if ".." in path.split("/"):
        raise NoSuchBlobError(f"{path} leads out of the store")
    with open(f"{directory}/{path}", "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        _check_size(path, size, bytes_max)
        data = file.read(size)
        while len(data) < size and (more := file.read(size - len(data))):
            data += more
    return data


def _check_size(path: str, size: int, bytes_max: int | None) -> None:
    if bytes_max is not None and size > bytes_max:
        raise StoreError(f"{path} has {size} bytes, at most {bytes_max} are expected")


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (theirs.NotFoundError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NoSuchBlobError(f"the store has no {path}") from None
    except (theirs.AlreadyExistsError, FileExistsError):
        raise BlobExistsError(f"the store has another {path} already") from None
    except (theirs.BaseError, OSError, ValueError) as error:
        first_line = str(error).strip().splitlines()[:1]
        raise StoreError(
            f"the store fails at {path}: {first_line[0] if first_line else type(error).__name__}"
        ) from error
