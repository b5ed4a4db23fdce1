"""A shop, published once, and a site of its own for every test."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.loopback.processes import Process, Shop, Site

FILE = Random(1).randbytes(3_000_000)
TREE = {f"lib/{number}.bin": Random(number).randbytes(1_000_000) for number in range(6)}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """shop@file is a file, shop@1 a tree, shop@half is signed by one party."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.set_up()
    made.publish("file", FILE)
    made.publish("half", b"half of it", "build")
    made.publish("1", TREE)
    return made


@pytest.fixture
def site(shop: Shop, tmp_path: Path) -> Iterator[Site]:
    """Its processes end with the test."""
    made = Site(shop, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shield(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One seeder without a tracker, for all tests that only fetch from it."""
    made = Site(shop, tmp_path_factory.mktemp("shield"))
    yield made.shield()
    made.close()
