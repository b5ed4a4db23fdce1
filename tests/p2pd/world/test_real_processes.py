"""Commands on the machine: they end, one way or the other, with all that they started."""

import os
import sys
from pathlib import Path

import pytest
import trio

from p2pd.world import real_processes
from p2pd.world.processes import Exit
from p2pd.world.real_processes import OUTPUT_BYTES_MAX, RealProcesses

TIMEOUT_S = 30
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


async def shell(script: str, directory: Path, timeout_s: float = TIMEOUT_S) -> Exit:
    with trio.fail_after(TIMEOUT_S):
        return await RealProcesses().run(("/bin/sh", "-c", script), str(directory), ENVIRONMENT, timeout_s)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def wait_for_end(pid: int) -> None:
    with trio.fail_after(TIMEOUT_S):
        while is_running(pid):
            await trio.sleep(0.01)


def read_pid(path: Path) -> int:
    """0 as long as it is not written."""
    return int(path.read_text() or 0) if path.exists() else 0


async def wait_for_pid(path: Path) -> int:
    with trio.fail_after(TIMEOUT_S):
        while not (pid := read_pid(path)):
            await trio.sleep(0.01)
        return pid


async def test_exit_code_and_both_outputs_are_told(tmp_path: Path) -> None:
    assert await shell("echo out; echo err >&2; exit 3", tmp_path) == Exit(3, "out\nerr\n")


async def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    assert (await shell("kill -9 $$", tmp_path)).code == -9


async def test_it_runs_in_its_directory_with_its_environment_only(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}), sys.stdin.read())"
    ended = await RealProcesses().run((sys.executable, "-I", "-c", script), str(tmp_path), {"P2P_RELEASE": "x"}, 20)
    assert ended == Exit(0, f"{tmp_path} ['P2P_RELEASE'] \n")


async def test_the_end_of_a_long_output_is_kept(tmp_path: Path) -> None:
    ended = await shell("head -c 1000000 /dev/zero | tr '\\0' x; printf end", tmp_path)
    assert len(ended.output) == OUTPUT_BYTES_MAX
    assert ended.output.endswith("xend")


async def test_what_can_not_be_started_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await RealProcesses().run((f"{tmp_path}/nothing",), str(tmp_path), ENVIRONMENT, 1)


async def test_at_the_timeout_the_whole_group_ends(tmp_path: Path) -> None:
    ended = await shell("sleep 1000 & echo $! > child; wait", tmp_path, timeout_s=0.5)
    assert (ended.timed_out, ended.code) == (True, -15)
    await wait_for_end(int((tmp_path / "child").read_text()))


async def test_what_ignores_the_polite_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_processes, "TERMINATE_GRACE_S", 0.2)
    ended = await shell("trap '' TERM; while :; do sleep 0.05; done", tmp_path, timeout_s=0.5)
    assert (ended.timed_out, ended.code) == (True, -9)


async def test_a_cancelled_command_ends(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shell, "echo $$ > pid; exec sleep 1000", tmp_path)
        pid = await wait_for_pid(tmp_path / "pid")
        nursery.cancel_scope.cancel()
    assert not is_running(pid)


async def test_a_service_started_in_the_background_lives_on_and_holds_nobody_up(tmp_path: Path) -> None:
    ended = await shell("sleep 1000 & echo $! > child; echo started", tmp_path)
    child = int((tmp_path / "child").read_text())
    try:
        assert ended == Exit(0, "started\n")
        assert is_running(child)
    finally:
        os.kill(child, 9)
