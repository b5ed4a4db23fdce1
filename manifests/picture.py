"""A difference as one page that needs nothing else: bars, where in the release it travels, and a treemap of files."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from .console import human_bytes
from .diff import FULL, PATCHED, REUSED, Difference, FileChange, Travel
from .manifest import Manifest
from .treemap import squarify

WIDTH: Final = 1200
MAP_HEIGHT: Final = 640
STRIP_HEIGHT: Final = 120
STRIP_CELLS: Final = 600
FILES_MAX: Final = 400
"""Boxes of the treemap; the smaller files are one more box."""
LABEL_WIDTH: Final = 7
"""Of a letter, about, in the unit of the drawing."""

_COLOURS: Final = {REUSED: "#9aa7b4", PATCHED: "#2f7ed8", FULL: "#e07b27", "manifests": "#7a4fb5"}
_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; display: block; }
text { font: 12px system-ui, sans-serif; pointer-events: none; fill: #fff; }
.bar { display: flex; height: 2rem; border-radius: 4px; overflow: hidden; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 1em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #8884; }
td:last-child, th:last-child { text-align: left; overflow-wrap: anywhere; }
"""


def page(old: Manifest, new: Manifest, difference: Difference, travels: Sequence[Travel]) -> str:
    """The HTML."""
    share = difference.fetch_bytes / difference.new_bytes if difference.new_bytes else 0.0
    title = f"From {old.release} to {new.release}"
    kinds = ((REUSED, difference.reused), (PATCHED, difference.patched), (FULL, difference.full))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Of {human_bytes(difference.new_bytes)} travel <b>{human_bytes(difference.fetch_bytes)}</b>, {share:.2%},",
        f" in {difference.requests} requests.</p>",
        "<p>The new release comes from:" + "".join(_key(kind, count) for kind, count in kinds) + "</p>",
        _bar(kinds),
        "<p>What travels:" + "".join(_key(kind, count) for kind, count in _fetched(difference, travels)) + "</p>",
        _bar(_fetched(difference, travels)),
        "<h2>Where in the release</h2>",
        "<p>From its first byte to its last; the height is what travels for each byte.</p>",
        _strip(new, travels),
    ]
    changed = [file for file in difference.files if file.fetch_bytes]
    if len(changed) > 1:
        parts += ["<h2>For which files</h2><p>The area is what travels.</p>", _map(changed)]
    parts += ["<h2>Files</h2>", _table(changed)]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _fetched(difference: Difference, travels: Sequence[Travel]) -> list[tuple[str, int]]:
    kinds = [(kind, round(sum(one.fetched for one in travels if one.kind == kind))) for kind in (PATCHED, FULL)]
    return [*kinds, ("manifests", difference.manifest_bytes)]


def _key(kind: str, count: int) -> str:
    return f'<span class="key" style="background:{_COLOURS[kind]}"></span>{kind} {human_bytes(count)}'


def _bar(amounts: Sequence[tuple[str, int]]) -> str:
    parts = (
        f'<div style="flex:{count};background:{_COLOURS[kind]}" title="{kind} {human_bytes(count)}"></div>'
        for kind, count in amounts
        if count
    )
    return f'<div class="bar">{"".join(parts)}</div>'


def _strip(new: Manifest, travels: Sequence[Travel]) -> str:
    """A column for each cell of the stream; what is full stands on what is patched."""
    cell = new.size / STRIP_CELLS
    heights = {kind: [0.0] * STRIP_CELLS for kind in (PATCHED, FULL)}
    for one in travels:
        if one.kind != REUSED:
            start, length = new.offsets[one.piece], new.lengths[one.piece]
            for at in range(int(start / cell), min(int((start + length) / cell) + 1, STRIP_CELLS)):
                within = max(0.0, min(start + length, (at + 1) * cell) - max(start, at * cell))
                heights[one.kind][at] += one.fetched * within / length / cell
    most = max((sum(pair) for pair in zip(*heights.values(), strict=True)), default=0.0) or 1.0
    return _svg(STRIP_HEIGHT, "".join(_columns(heights, STRIP_HEIGHT / most)))


def _columns(heights: dict[str, list[float]], scale: float) -> Iterator[str]:
    width = WIDTH / STRIP_CELLS
    for at in range(STRIP_CELLS):
        top = float(STRIP_HEIGHT)
        for kind, row in heights.items():
            if height := row[at] * scale:
                top -= height
                box = f'x="{at * width:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
                yield f'<rect {box} fill="{_COLOURS[kind]}"/>'


def _map(files: Sequence[FileChange]) -> str:
    largest = sorted(files, key=lambda file: (-file.fetch_bytes, file.path))
    shown, rest = largest[:FILES_MAX], largest[FILES_MAX:]
    rows = [(file.fetch_bytes, _colour(file), file.path, _words(file)) for file in shown]
    if rest:
        together = sum(file.fetch_bytes for file in rest)
        rows.append((together, _COLOURS[REUSED], f"{len(rest)} more files", human_bytes(together)))
    parts = []
    for box in squarify([amount for amount, *_ in rows], WIDTH, MAP_HEIGHT):
        _, colour, name, words = rows[box.index]
        place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        title = f"<title>{escape(name)}: {escape(words)}</title>"
        parts.append(f'<rect {place} fill="{colour}" stroke="#fff">{title}</rect>')
        label = name.rpartition("/")[2]
        if box.width > LABEL_WIDTH * len(label) + 8 and box.height > 18:
            parts.append(f'<text x="{box.x + 4:.1f}" y="{box.y + 14:.1f}">{escape(label)}</text>')
    return _svg(MAP_HEIGHT, "".join(parts))


def _colour(file: FileChange) -> str:
    return _COLOURS[PATCHED if file.patched >= file.full else FULL]


def _words(file: FileChange) -> str:
    parts = ((file.reused, REUSED), (file.patched, PATCHED), (file.full, FULL))
    ways = ", ".join(f"{human_bytes(count)} {kind}" for count, kind in parts if count)
    return f"{human_bytes(file.fetch_bytes)} travel ({ways})"


def _table(files: Sequence[FileChange]) -> str:
    names = ("travels", "of", REUSED, PATCHED, FULL, "path")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = []
    for file in sorted(files, key=lambda file: (-file.fetch_bytes, file.path))[:FILES_MAX]:
        counts = (file.fetch_bytes, file.size, file.reused, file.patched, file.full)
        cells = "".join(f"<td>{human_bytes(count)}</td>" for count in counts)
        rows.append(f"<tr>{cells}<td>{escape(file.path)}</td></tr>")
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _svg(height: int, content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">{content}</svg>'
