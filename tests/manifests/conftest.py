"""Publishers and clients in a temporary directory."""

from pathlib import Path

import pytest

from manifests.blobs import BlobStore
from tests.manifests.factory import Client, Publisher
from tests.manifests.shell import Shell, make_signed, make_tree


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "store"), create=True)


@pytest.fixture
def publisher(store: BlobStore) -> Publisher:
    return Publisher(store)


@pytest.fixture
def client(publisher: Publisher, tmp_path: Path) -> Client:
    return Client(publisher, tmp_path / "cache")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    make_tree(tmp_path)
    return Shell(tmp_path, capsys)


@pytest.fixture
def signed(shell: Shell) -> Shell:
    make_signed(shell)
    return shell
