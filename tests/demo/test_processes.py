"""Whatever happens, nothing that the demo started outlives it."""

import os
import sys
from pathlib import Path

import pytest
import trio

from demo.errors import DemoError
from demo.processes import Children, children, command

READY = "import json, time; print(json.dumps({'ready': True, 'listen': 'here:1'}), flush=True); "
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_ready_service_says_where_it_listens(tmp_path: Path) -> None:
    async with children(tmp_path) as family:
        child = await family.start("a", python(READY + "time.sleep(60)"), os.environ)
        assert child.ready["listen"] == "here:1"


async def test_a_service_that_ends_at_once_is_reported_with_its_words(tmp_path: Path) -> None:
    async with children(tmp_path) as family:
        with pytest.raises(DemoError, match="out of luck"):
            await family.start("a", python("import sys; sys.exit('out of luck')"), os.environ)


async def test_all_are_gone_after_an_error(tmp_path: Path) -> None:
    pids = []
    with pytest.raises(RuntimeError):
        async with children(tmp_path) as family:
            for name in "abc":
                child = await family.start(name, python(READY + "time.sleep(60)"), os.environ)
                pids.append(child.process.pid)
            raise RuntimeError
    assert [pid for pid in pids if exists(pid)] == []


async def test_all_are_gone_after_a_cancellation(tmp_path: Path) -> None:
    with trio.CancelScope() as scope:
        async with children(tmp_path) as family:
            child = await family.start("a", python(READY + "time.sleep(60)"), os.environ)
            scope.cancel()
            await trio.sleep_forever()
    assert not exists(child.process.pid)


async def test_one_that_will_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.processes.STOP_S", 0.2)
    async with children(tmp_path) as family:
        child = await family.start("a", python(STUBBORN + READY + "time.sleep(60)"), os.environ)
    assert not exists(child.process.pid)


async def test_what_a_service_started_goes_with_it(tmp_path: Path) -> None:
    grandchild = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    program = grandchild + "import json; print(json.dumps({'ready': True, 'pid': p.pid}), flush=True); p.wait()"
    async with children(tmp_path) as family:
        child = await family.start("a", python(program), os.environ)
    with trio.fail_after(5):
        while exists(int(child.ready["pid"])):  # an orphan of ours is reaped by init, a moment later
            await trio.sleep(0.01)


async def test_a_crash_in_the_middle_is_noticed(tmp_path: Path) -> None:
    async with children(tmp_path) as family:
        child = await family.start("a", python(READY + "raise SystemExit('gone')"), os.environ)
        await child.process.wait()
        with pytest.raises(DemoError, match="a ended with code 1"):
            family.check()


async def test_the_ready_line_of_the_run_before_does_not_count(tmp_path: Path) -> None:
    family = Children(tmp_path)
    await family.start("a", python(READY + "time.sleep(60)"), os.environ)
    await family.kill("a")
    with pytest.raises(DemoError, match="not become ready"):
        await family.start("a", python("pass"), os.environ)


async def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with (tmp_path / "words").open("ab") as words, pytest.raises(DemoError, match="exited with 1: no such release"):
        await command(python("import sys; sys.exit('no such release')"), os.environ, words)


async def test_a_command_answers_with_an_object(tmp_path: Path) -> None:
    with (tmp_path / "words").open("ab") as words:
        assert await command(python("print('{\"revision\": 3}')"), os.environ, words) == {"revision": 3}
