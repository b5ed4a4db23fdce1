"""What is read of the machine."""

from benchmarks.links.machine import busy_s


def test_a_core_that_waits_for_the_disk_is_not_busy() -> None:
    assert (
        busy_s("cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n", 100)
        == (100 + 20 + 30 + 6 + 7 + 8) / 100
    )
