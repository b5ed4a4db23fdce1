"""What a person sees: a live picture on a terminal, plain lines elsewhere, a table at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import rich.box
import trio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from manifests.console import human_bytes, human_duration, human_rate

from .board import Board, Step
from .nodes import Node
from .verdict import Figures, claims, passed

REFRESH_PER_S: Final = 4
EVENTS_SHOWN: Final = 4
WIDE: Final = 110
"""Columns from which on there is room to say what a host waits for."""
STATE_STYLES: Final = {
    "VERIFIED": "green",
    "DOWNLOADING": "cyan",
    "INSTALLING": "yellow",
    "INSTALLED": "yellow",
    "REVERTING": "yellow",
    "FAILED": "red",
    "REFUSED": "red",
    "BLOCKED": "red",
    "DOWN": "bold red",
}


@contextmanager
def live(console: Console, board: Board) -> Iterator[None]:
    """Show the board while the block runs; on a terminal as one picture that changes."""
    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=lambda: picture(board, console.width), console=console, refresh_per_second=REFRESH_PER_S):
        yield


async def tell_lines(console: Console, board: Board) -> None:
    """For a log: a line when a step begins or ends and for each event. Runs until cancelled; nothing on a terminal."""
    shown_steps = shown_events = 0
    while not console.is_terminal:
        for step in board.steps[shown_steps:]:
            console.print(f"{time.strftime('%H:%M:%S')} {step.title}", highlight=False, markup=False, soft_wrap=True)
        for event in board.events[shown_events:]:
            console.print(f"{time.strftime('%H:%M:%S')}   {event}", highlight=False, markup=False, soft_wrap=True)
        shown_steps, shown_events = len(board.steps), len(board.events)
        await trio.sleep(1 / REFRESH_PER_S)


def picture(board: Board, width: int) -> RenderableType:
    """Everything at once: the story so far above, the fleet below; for a terminal of `width` columns."""
    parts: list[RenderableType] = [_steps(board.steps)]
    if board.nodes:
        parts += [_fleet(board, width), _totals(board)]
    return Panel(Group(*parts), title="p2pd demo: one machine, a whole fleet", border_style="blue", padding=(0, 1))


def _steps(steps: list[Step]) -> RenderableType:
    grid, now = Table.grid(padding=(0, 1)), time.monotonic()
    for step in steps:
        mark = Text("✓", "green") if step.ended else Text("▸", "bold cyan")
        detail = Text(step.detail if not step.ended else "", "dim")
        grid.add_row(mark, Text(step.title, "" if step.ended else "bold"), human_duration(step.seconds(now)), detail)
    return grid


def _fleet(board: Board, width: int) -> RenderableType:
    table = Table(box=rich.box.SIMPLE_HEAD, expand=True, pad_edge=False)
    for column in ("host", "state", "runs"):
        table.add_column(column, no_wrap=True)
    table.add_column(board.artifact or "release", ratio=2, no_wrap=True)
    for column in ("rate", "peers", "shield"):
        table.add_column(column, justify="right", no_wrap=True)
    if width >= WIDE:
        table.add_column("waits for", ratio=3, no_wrap=True)
    for node in board.nodes.values():
        table.add_row(*_row(node, board)[: len(table.columns)])
    return table


def _row(node: Node, board: Board) -> list[RenderableType]:
    download = node.download(board.artifact)
    size = download.size or board.artifact_bytes
    bar = ProgressBar(total=size or 1, completed=download.verified) if board.artifact else Text("")
    rate = human_rate(download.rate_per_s) if download.rate_per_s >= 1 else ""
    return [
        node.name,
        Text(node.state.lower(), STATE_STYLES.get(node.state, "")),
        node.running_release.partition("@")[2],
        bar,
        rate,
        human_bytes(download.from_peers),
        human_bytes(download.fetched - download.from_peers),
        Text(node.error or node.waits_for or download.waits_for, "dim", overflow="ellipsis"),
    ]


def _totals(board: Board) -> RenderableType:
    downloads = [node.download(board.artifact) for node in board.nodes.values()]
    fetched, peers = sum(d.fetched for d in downloads), sum(d.from_peers for d in downloads)
    lines = [Text(f"· {event}", "yellow") for event in board.events[-EVENTS_SHOWN:]]
    if board.artifact and fetched:
        share = f"{peers / fetched:.0%} of the bytes came from peers; {board.origin_copies:.2f} copies left the seeder"
        lines.append(Text(share, "bold"))
    return Group(*lines)


def verdict(console: Console, figures: Figures, logs: Path | None) -> None:
    """The table at the end; `logs` is shown when something is wrong."""
    table = Table(box=rich.box.SIMPLE_HEAD, title="What the demo claims", title_justify="left")
    for column in ("", "claim", "measured", "promised"):
        table.add_column(column)
    for claim in claims(figures):
        mark = "[green]✓[/]" if claim.holds else "[bold red]✗[/]"
        table.add_row(mark, claim.text, claim.measured, claim.promised)
    console.print(table)
    console.print(_times(figures), highlight=False)
    if figures.error:
        console.print(f"[bold red]The story broke off:[/] {escape(figures.error)}", highlight=False)
    if not passed(figures) and logs:
        console.print(f"What every process said is in {logs}", highlight=False, soft_wrap=True)


def _times(figures: Figures) -> str:
    parts = [
        f"{figures.nodes} hosts, {human_bytes(figures.artifact_bytes)}",
        f"release 1 everywhere in {human_duration(figures.release_1_seconds)}",
        f"release 2 in {human_duration(figures.release_2_seconds)}",
        f"back from 3 in {human_duration(figures.revert_seconds)}",
        f"rolled back in {human_duration(figures.rollback_seconds)}",
    ]
    return "; ".join(parts)
