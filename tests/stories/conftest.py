"""What the stories share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.stories.fleet import Fleet


@pytest.fixture
async def fleet(autojump_clock: trio.testing.MockClock, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Under a virtual clock, its trackers and seeder running; all ends with the test."""
    async with trio.open_nursery() as nursery:
        made = Fleet(nursery, tmp_path)
        await made.open()
        yield made
        nursery.cancel_scope.cancel()
