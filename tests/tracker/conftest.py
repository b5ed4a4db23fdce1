"""What the tracker's tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from .fleet import Fleet


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """A network, whose trackers and hosts end with the test. Whoever asks for it runs in virtual time."""
    async with trio.open_nursery() as nursery:
        yield Fleet(nursery, str(tmp_path))
        nursery.cancel_scope.cancel()


def in_virtual_time(
    test: Callable[[], Awaitable[None]], *, clock: trio.abc.Clock | None, instruments: Sequence[trio.abc.Instrument]
) -> None:
    """Run an async test under a clock that jumps whenever all tasks wait."""
    virtual = trio.testing.MockClock(autojump_threshold=0)
    trio.run(test, clock=clock or virtual, instruments=instruments)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-trio finds a clock only among a test's own arguments, so the fixture can't bring it."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "fleet" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.trio(run=in_virtual_time), append=False)
