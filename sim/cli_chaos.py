"""`p2p-sim chaos` and `p2p-sim replay`: many seeds in search of a broken promise, and one of them looked at closely."""

import gc
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from manifests.console import EXIT_FAILED, EXIT_OK, Console, UsageError, add_output_flags

if TYPE_CHECKING:
    from sim.chaos import Outcome

SEEDS: Final = 100
COLLECT_EVERY: Final = 10
"""Runs between two collections of garbage: it rests during a run."""
Bar = Callable[[Console, str], AbstractContextManager[Callable[[float], None]]]


def add_commands(commands: Any) -> None:
    """Put `chaos` and `replay` beside the other commands."""
    chaos: ArgumentParser = commands.add_parser(
        "chaos",
        help="break things until a promise breaks",
        description="Draw a fleet, a story and faults from each seed; run the shipped services; check what must hold.",
    )
    chaos.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"how many (default: {SEEDS})")
    chaos.add_argument("--start", type=int, default=1, metavar="S", help="the first one (default: 1)")
    chaos.add_argument("--keep-going", action="store_true", help="go on after a failure")
    replay: ArgumentParser = commands.add_parser(
        "replay", help="one seed of chaos again", description="Run one seed of chaos again, exactly as it was."
    )
    replay.add_argument("--rng-seed", type=int, required=True, metavar="N")
    replay.add_argument("--trace", metavar="FILE", help="write every delivery and event, one a line")
    for command in (chaos, replay):
        add_output_flags(command, nested=True)


def handlers(bar: Bar) -> Mapping[str, Callable[[Namespace, Console], int]]:
    """By command. `bar` draws a progress bar."""
    return {"chaos": lambda arguments, console: _chaos(arguments, console, bar), "replay": _replay}


def _chaos(arguments: Namespace, console: Console, bar: Bar) -> int:
    if arguments.seeds < 1:
        raise UsageError("--seeds: at least 1")
    from sim.chaos import run_seed

    failures: list[Outcome] = []
    ran = crashes = checks = 0
    slowest_s = 0.0
    with bar(console, "chaos") as tick:
        for rng_seed in range(arguments.start, arguments.start + arguments.seeds):
            outcome = run_seed(rng_seed)
            ran, crashes, checks = ran + 1, crashes + outcome.crashes, checks + outcome.checks
            if outcome.ok:
                slowest_s = max(slowest_s, outcome.settled_s)
            else:
                failures.append(outcome)
                if not arguments.keep_going:
                    break
            if ran % COLLECT_EVERY == 0:
                gc.collect()
            tick(ran / arguments.seeds)
    value = {
        "seeds": ran,
        "start": arguments.start,
        "ok": not failures,
        "crashes": crashes,
        "contents_checked": checks,
        "slowest_to_settle_s": slowest_s,
        "failures": [_plain(outcome) for outcome in failures],
    }
    console.result(value, lambda: _say(console, value, failures))
    return EXIT_FAILED if failures else EXIT_OK


def _say(console: Console, value: Mapping[str, object], failures: "list[Outcome]") -> None:
    for outcome in failures:
        _show(console, outcome)
    console.say(
        f"{value['seeds']} seeds, {len(failures)} failed; {value['crashes']} crashes, {value['contents_checked']} "
        f"releases read to the byte; the slowest settled {value['slowest_to_settle_s']:g} s after the last command"
    )


def _replay(arguments: Namespace, console: Console) -> int:
    from sim.chaos import run_seed

    if arguments.trace:
        with Path(arguments.trace).open("w", encoding="utf-8") as file:
            outcome = run_seed(arguments.rng_seed, file.write)
    else:
        outcome = run_seed(arguments.rng_seed)
    console.result(_plain(outcome), lambda: _show(console, outcome))
    return EXIT_OK if outcome.ok else EXIT_FAILED


def _plain(outcome: "Outcome") -> dict[str, object]:
    settled_s = outcome.settled_s if outcome.ok else None
    return asdict(outcome) | {"ok": outcome.ok, "settled_s": settled_s, "replay": _again(outcome)}


def _show(console: Console, outcome: "Outcome") -> None:
    console.say(f"seed {outcome.rng_seed}: {'all held' if outcome.ok else outcome.violation}")
    console.say(outcome.story)
    console.say(f"trace {outcome.trace[:16]}, {outcome.simulated_s:.1f} s simulated; again: {_again(outcome)}\n")


def _again(outcome: "Outcome") -> str:
    return f"p2p-sim replay --rng-seed {outcome.rng_seed}"
