"""`python -m benchmarks.delta`: fetch real version pairs, and let every way of updating show what it fetches.

Bytes are all that travels: data, indexes, manifests, headers of formats. Processor seconds and memory are the tool's
own. Every result is compared with the new file, to the byte.
"""

import os
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from manifests.console import (
    EXIT_FAILED,
    EXIT_OK,
    CommandError,
    Console,
    UsageError,
    command_parser,
    human_bytes,
    parse_bytes,
    run_command,
)

from . import chunkers, opponents, ours
from .corpus import Corpus, Files
from .judging import Compared, broken_claims
from .measuring import ToolError
from .opponents import Method, Result
from .pairs import PAIRS_HELP, BadPairError, parse_pairs
from .tools import Tools

DEFAULT_PAIRS: Final = ("wheel:numpy", "wheel:duckdb", "wheel:ruff", "npm:esbuild", "os:small/tar")
ALL_PAIRS: Final = (
    *DEFAULT_PAIRS, "os:small/ext4", "os:small/erofs", "os:small/squashfs", "wheel:uv", "wheel:cryptography",
    "wheel:grpcio", "wheel:scikit-learn", "wheel:pillow", "wheel:django", "npm:typescript",
    "npm:@swc/core-linux-x64-gnu", "npm:@biomejs/cli-linux-x64", "wheel:scipy", "wheel:opencv-python-headless",
    "wheel:polars-runtime-32", "wheel:pyarrow", "kernel", "os:server@weekly/all", "os:server@months/tar",
    "os:desktop@months/tar",
)  # fmt: skip
METHODS: Final[dict[str, Method]] = {
    "ours-device": ours.device,
    "ours-swarm": ours.swarm,
    "ours-host": ours.host,
    "ours-bulk": ours.bulk,
    "all-opened": ours.recompressing,
    "casync": chunkers.casync,
    "zchunk": chunkers.zchunk,
    "xdelta3": opponents.xdelta3,
    "bsdiff": opponents.bsdiff,
    "zstd-patch": opponents.zstd_patch,
    "zstd": opponents.zstd_whole,
}
SLOW: Final = ("bsdiff", "zstd-patch", "zstd")
"""Half a CPU second a megabyte and more: left out for large files, unless asked for."""
ASKED_FOR: Final = ("all-opened", "ours-swarm")
"""The first is as ours-device where a file has no compressed stream inside, the other is not for updates."""
SLOW_BYTES_MAX: Final = 64 * 2**20
LINE: Final = "  {:<22} {:>13} {:>8} {:>8} {:>8} {:>10} {:>8} {:>10}  {}"


def main(argv: list[str] | None = None) -> int:
    """Exit 0 when every result is equal and every claim holds, 1 when not."""
    return run_command(_parser(), argv, {"delta": _compare})


def _parser() -> ArgumentParser:
    parser = command_parser(
        "python -m benchmarks.delta",
        __doc__ or "",
        "  python -m benchmarks.delta wheel:numpy os:small/ext4 path:old.img..new.img --json\n\n" + PAIRS_HELP,
    )
    parser.set_defaults(command="delta")
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=f"default: {' '.join(DEFAULT_PAIRS)}")
    parser.add_argument("--all", action="store_true", help="every pair that we report on, in every way: hours")
    parser.add_argument("--only", metavar="WAY", help=f"comma-separated, of: {', '.join(METHODS)}")
    parser.add_argument("--cache", metavar="DIRECTORY", help="keeps what was fetched (default: your cache directory)")
    parser.add_argument(
        "--slow-bytes-max", metavar="SIZE", default=str(SLOW_BYTES_MAX),
        help=f"{', '.join(SLOW)} are left out for files above this (default 64 MiB)",
    )  # fmt: skip
    return parser


def _compare(arguments: Namespace, console: Console) -> int:
    try:
        words = arguments.pairs or (ALL_PAIRS if arguments.all else DEFAULT_PAIRS)
        pairs = [pair for word in words for pair in parse_pairs(word)]
        slow_bytes_max = sys.maxsize if arguments.all else parse_bytes(arguments.slow_bytes_max)
    except ValueError as error:
        raise UsageError(str(error)) from None
    ways = _ways(arguments.only)
    cache = Path(arguments.cache or _cache_directory()).absolute()
    cache.mkdir(parents=True, exist_ok=True)
    tools = Tools(cache / "tools")
    corpus = Corpus(cache, tools, console.note)
    compared = []
    for pair in pairs:
        try:
            files = corpus.files(pair)
        except (BadPairError, ToolError) as error:
            raise CommandError(f"{pair.name}: {error}") from None
        compared.append(_compare_one(files, ways, tools, cache, slow_bytes_max, console))
        if not console.json:
            _show(console, compared[-1])
    broken = broken_claims(compared)
    console.result(_document(compared, broken), lambda: _show_verdict(console, broken))
    return EXIT_FAILED if broken else EXIT_OK


def _ways(only: str | None) -> list[str]:
    ways = only.split(",") if only else [one for one in METHODS if one not in ASKED_FOR]
    if unknown := [one for one in ways if one not in METHODS]:
        raise UsageError(f"--only: no such way as {', '.join(unknown)}; there are {', '.join(METHODS)}")
    return ways


def _cache_directory() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "p2pd-benchmarks")


def _compare_one(
    files: Files, ways: Iterable[str], tools: Tools, cache: Path, slow_bytes_max: int, console: Console
) -> Compared:
    results = []
    for way in ways:
        if way in SLOW and files.new_bytes > slow_bytes_max:
            results.append(Result(way, skipped="slow on a file so large: --slow-bytes-max or --all"))
            continue
        console.note(f"{files.name}: {way}")
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            try:
                results.append(METHODS[way](files, tools, Path(directory)))
            except ToolError as error:
                results.append(Result(way, skipped=str(error)))
    return Compared(files.name, files.old_bytes, files.new_bytes, tuple(results))


def _document(compared: list[Compared], broken: list[str]) -> dict[str, Any]:
    return {
        "pairs": [
            {
                "pair": one.pair,
                "old_bytes": one.old_bytes,
                "new_bytes": one.new_bytes,
                "ways": [asdict(result) for result in one.results],
                "ratios": {
                    result.method: one.ratio(result.method)
                    for result in one.results
                    if not result.method.startswith("ours") and not result.skipped
                },
            }
            for one in compared
        ],
        "broken_claims": broken,
    }


def _show(console: Console, compared: Compared) -> None:
    console.say(f"\n{compared.pair}: {human_bytes(compared.old_bytes)} to {human_bytes(compared.new_bytes)}")
    head = ("way", "to fetch", "of new", "requests", "publish", "memory", "apply", "memory", "ours to it")
    console.say(LINE.format(*head).rstrip())
    for one in compared.results:
        if one.skipped:
            console.say(f"  {one.method:<22} {one.skipped}")
            continue
        ratio = compared.ratio(one.method)
        console.say(
            LINE.format(
                one.method,
                f"{one.fetch_bytes:,}",
                f"{100 * one.fetch_bytes / compared.new_bytes:.2f} %",
                one.requests,
                f"{one.publish.cpu_s:.1f} s",
                human_bytes(one.publish.rss_bytes),
                f"{one.apply.cpu_s:.2f} s",
                human_bytes(one.apply.rss_bytes),
                (f"{ratio:.2f} x" if ratio else "") if one.equal else "NOT EQUAL",
            ).rstrip()
        )


def _show_verdict(console: Console, broken: list[str]) -> None:
    for words in broken:
        console.say(f"claim broken: {words}")
    if not broken:
        console.say("every claim holds")


if __name__ == "__main__":
    sys.exit(main())
