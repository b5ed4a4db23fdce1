"""A store of releases and one of packs, on a disk in memory."""

import pytest

from p2pd.store import Store
from tests.fakes.disk import MemoryDisk
from tests.p2pd.store.releases import opened


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def store(disk: MemoryDisk) -> Store:
    return opened(disk)


@pytest.fixture
def packs(disk: MemoryDisk) -> Store:
    return opened(disk, "/var/packs")
