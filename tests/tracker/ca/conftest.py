"""What the authority's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .fleet_authority import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A new authority."""
    made = Site(tmp_path)
    yield made
    made.ledger.close()
