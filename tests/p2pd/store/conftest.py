"""A store on a disk in memory."""

import pytest

from p2pd.store import Store
from tests.fakes.disk import MemoryDisk

from .releases import opened


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def store(disk: MemoryDisk) -> Store:
    return opened(disk)
