"""A shop, published once, and a site of its own for every test."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.loopback.processes import Process, Shop, Site

FILE = Random(1).randbytes(3_000_000)
EDITED = b"".join(FILE[at : at + 100_000 - 9] + b"other now" for at in range(0, len(FILE), 100_000))
TREE = {f"lib/{number}.bin": Random(number).randbytes(1_000_000) for number in range(6)}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """shop@file is a file, shop@edited another with a pack from it; shop@1 is a tree, shop@half signed by one party."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.set_up()
    made.publish("file", FILE)
    made.publish("edited", EDITED, base="file")
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
