"""What is read of the machine."""

from pathlib import Path

from benchmarks.links.machine import busy_s, forget_files


def test_a_core_that_waits_for_the_disk_is_not_busy() -> None:
    assert (
        busy_s("cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n", 100)
        == (100 + 20 + 30 + 6 + 7 + 8) / 100
    )


def test_files_that_leave_the_page_cache_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"0123456789" * 1000)
    (tmp_path / "nothing").symlink_to("nowhere")
    forget_files(tmp_path, tmp_path / "absent")
    assert (tmp_path / "below" / "file").read_bytes() == b"0123456789" * 1000
