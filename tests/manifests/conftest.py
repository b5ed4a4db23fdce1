"""Publishers and clients in a temporary directory."""

from pathlib import Path

import pytest

from manifests.blobs import BlobStore
from tests.manifests.factory import Client, Publisher


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "store"), create=True)


@pytest.fixture
def publisher(store: BlobStore) -> Publisher:
    return Publisher(store)


@pytest.fixture
def client(publisher: Publisher, tmp_path: Path) -> Client:
    return Client(publisher, tmp_path / "cache")
