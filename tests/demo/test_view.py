"""The picture shows what matters, on a wide terminal and on a narrow one."""

import io

import pytest
import trio
import trio.testing
from rich.console import Console

from demo import view
from demo.board import Board
from demo.nodes import Download, Node
from demo.verdict import Figures


def board_in_mid_download() -> Board:
    board = Board(origin_bytes=300, nodes={})
    board.begin("Deploy release 1")
    board.fetching("library@1", 1000)
    board.origin_bytes = 900
    download = Download("library@1", size=1000, verified=500, by_tier={"region": 400, "shield": 100})
    board.nodes["host-1"] = Node("host-1", "DOWNLOADING", waits_for="the peers", downloads={"library@1": download})
    return board


def drawn(board: Board, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(view.picture(board, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_picture_names_hosts_states_and_shares(width: int) -> None:
    text = drawn(board_in_mid_download(), width)
    for words in ("Deploy release 1", "host-1", "downloading", "80% of the bytes came from peers", "0.60 copies"):
        assert words in text


def test_a_wide_picture_says_what_a_host_waits_for() -> None:
    assert "the peers" in drawn(board_in_mid_download(), 120)


def test_no_line_is_wider_than_the_terminal() -> None:
    assert max(map(len, drawn(board_in_mid_download(), 80).splitlines())) <= 80


async def test_a_log_gets_a_line_for_each_step_and_event(autojump_clock: trio.testing.MockClock) -> None:
    console, board = Console(file=io.StringIO()), board_in_mid_download()
    board.event("host-5 killed")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(view.tell_lines, console, board)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert isinstance(console.file, io.StringIO)
    assert [line.split(maxsplit=1)[1] for line in console.file.getvalue().splitlines()] == [
        "Deploy release 1",
        "host-5 killed",
    ]


def test_the_verdict_shows_what_went_wrong_as_it_is() -> None:
    console = Console(file=io.StringIO(), width=120)
    view.verdict(console, Figures(nodes=8, error="seeder ended with [code] 1"), None)
    assert isinstance(console.file, io.StringIO)
    assert "seeder ended with [code] 1" in console.file.getvalue()
