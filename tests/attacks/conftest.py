"""What the attacks share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio.testing

from tests.attacks.siege import Siege, open_siege


@pytest.fixture
async def siege(autojump_clock: trio.testing.MockClock, tmp_path: Path) -> AsyncIterator[Siege]:
    """Under a virtual clock, the attacker's servers listening."""
    async with open_siege(tmp_path) as made:
        yield made
