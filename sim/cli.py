"""`p2p-sim`: run scenarios, vary them, compare them. What does the work is loaded when it is asked for."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from manifests.console import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_USAGE,
    Console,
    UsageError,
    add_output_flags,
    command_parser,
    run_command,
)
from sim import cli_chaos, cli_compile
from sim.cli_validate import validate
from sim.errors import CompileError, SimError

if TYPE_CHECKING:
    from sim.result import Result

_EXAMPLE: Final = """\
  p2p-sim list
  p2p-sim run flash-crowd --report flash-crowd.html
  p2p-sim run code-deploy-10gb-100k --set hosts.count=20000 --set 'hosts.downlink_bytes_per_s=1 Gbit/s'
  p2p-sim run office-lan --engine scale
  p2p-sim sweep flash-crowd --vary policy.degree=8,16,32
  p2p-sim compare office-lan@fleet office-lan@scale --report tiers.html
  p2p-sim compare before.npz after.npz --report both.html
  p2p-sim compile
  p2p-sim chaos --seeds 500"""
_ENGINES_WORDS: Final = """\
Run a built-in scenario or a TOML file, on the engine that it names or on another one that can express it: real daemons,
trackers and seeders in virtual time (fleet, up to 2,000 hosts), their brains on a heap (quick, up to 10,000; `p2p-sim
compile` makes it twice as fast), arrays (scale, hundreds of thousands), or cohorts of devices (cohort). Exit code 1:
hosts never finished."""
_COLUMNS: Final = (
    ("p50_s", "#p50 s"),
    ("p99_s", "#p99 s"),
    ("last_s", "#last s"),
    ("last_over_bound", "#last / bound"),
    ("copies_into_region_mean", "#copies / region"),
    ("origin_copies", "#origin copies"),
    ("completed", "#completed"),
    ("share_from_cdn", "#from CDN"),
    ("share_from_peers", "#from peers"),
)
"""What a table of several runs shows, where a run has it."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code. 1: hosts never finished, or a check does not hold."""
    handlers = {"list": _list, "run": _run, "sweep": _sweep, "compare": _compare}
    handlers |= {"validate": validate, "compile": cli_compile.compile_engine, **cli_chaos.handlers(_bar)}
    return run_command(_parser(), argv, handlers, more_errors=((CompileError, EXIT_FAILED), (SimError, EXIT_USAGE)))


def _parser() -> ArgumentParser:
    about = "The swarm simulator: what would a rollout do, before it is one?"
    parser = command_parser("p2p-sim", about, _EXAMPLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the scenarios that come with it")
    run = commands.add_parser("run", help="run a scenario", description=_ENGINES_WORDS)
    sweep = commands.add_parser(
        "sweep", help="vary a setting", description="Run a scenario for each value of a setting."
    )
    sweep.add_argument("--vary", metavar="KEY=A,B,C", required=True, help="a dotted key and its values")
    for command in (run, sweep):
        command.add_argument("scenario", metavar="SCENARIO", help="a name from `list`, or a TOML file")
        command.add_argument("--rng-seed", type=int, metavar="N", help="(default: the scenario's, else 1)")
        command.add_argument("--engine", metavar="NAME", help="fleet (real daemons), quick (brains) or scale")
        command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting first")
    run.add_argument("--like", metavar="FILE", help="engine quick: who met whom, and when, as in this saved fleet run")
    run.add_argument("--save", metavar="FILE", help="keep the result with its arrays (.npz), for compare and notebooks")
    compare = commands.add_parser("compare", help="two runs side by side")
    for which in ("a", "b"):
        compare.add_argument(which, metavar=which.upper(), help="a saved result (.npz), or a scenario to run")
    checks = commands.add_parser("validate", help="hold the simulator against closed forms and published results")
    for command in (run, sweep, compare):
        command.add_argument("--report", metavar="FILE", help="write a self-contained HTML page")
        command.add_argument("--interpreted", action="store_true", help="quick and fleet: not what `compile` made")
    for command in (listing, run, sweep, compare, checks):
        add_output_flags(command, nested=True)
    cli_compile.add_command(commands)
    cli_chaos.add_commands(commands)
    return parser


@contextmanager
def _bar(console: Console, title: str) -> Iterator[Callable[[float], None]]:
    """A bar on stderr when that is a terminal: tell it the share that is done."""
    import sys

    if console.quiet or not sys.stderr.isatty():
        yield lambda part: None
        return
    import rich.console
    import rich.progress as bars

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=rich.console.Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(title, total=1.0)
        yield lambda part: drawn.update(task, completed=part)


def _pair(text: str, flag: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        raise UsageError(f"{flag} {text!r} is not KEY=VALUE, as in hosts.count=1000")
    return key, value


def _table_of(arguments: Namespace) -> dict[str, object]:
    from sim.scenario import changed, load_table, setting

    table = load_table(arguments.scenario)
    if arguments.engine:
        table = changed(table, "engine", arguments.engine)
    for text in arguments.set:
        key, value = _pair(text, "--set")
        table = changed(table, key, setting(value))
    return table


def _simulate(
    console: Console,
    table: Mapping[str, object],
    where: str,
    rng_seed: int | None,
    title: str,
    *,
    interpreted: bool,
    like: "Result | None" = None,
) -> "Result":
    import sim
    from sim.scenario import parse

    scenario = parse(table, where)
    try:
        with _bar(console, title) as tick:
            return sim.run(scenario, rng_seed=rng_seed, tick=tick, like=like, interpreted=interpreted)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing; install the simulator with: pip install 'p2pd[sim]'") from None


def _write_page(console: Console, path: str | None, page: Callable[[], str]) -> None:
    if path:
        Path(path).write_text(page(), encoding="utf-8")
        console.note(f"report: {path}")


def _exit_code(results: Sequence["Result"]) -> int:
    return EXIT_FAILED if any(result.facts.get("unfinished") for result in results) else EXIT_OK


def _list(arguments: Namespace, console: Console) -> int:
    from sim.native import GROUPS, found
    from sim.scenario import built_in, load_table

    is_compiled = found(GROUPS["quick"]) is not None
    rows = [(name, load_table(name)) for name in built_in()]
    scenarios = [{key: table.get(key, "") for key in ("name", "engine", "about")} for _, table in rows]
    shown = [(name, table["engine"], table.get("about", "")) for name, table in rows]

    def show() -> None:
        console.table("", ("scenario", "engine", "what it asks"), shown)
        hint = "compiled" if is_compiled else "interpreted; `p2p-sim compile` makes them twice as fast"
        console.say(f"the brains of the engine quick are {hint}")

    console.result({"scenarios": scenarios, "compiled": is_compiled}, show)
    return EXIT_OK


def _run(arguments: Namespace, console: Console) -> int:
    from sim.result import Result, figure

    table = _table_of(arguments)
    like = Result.load(arguments.like) if arguments.like else None
    name, seed, plain = arguments.scenario, arguments.rng_seed, arguments.interpreted
    result = _simulate(console, table, name, seed, name, interpreted=plain, like=like)
    if arguments.save:
        result.save(arguments.save)
        console.note(f"saved: {arguments.save}")
    if arguments.report:
        from sim.report import page

        _write_page(console, arguments.report, lambda: page(result))
    rows = [(key, figure(value, ",.6g")) for key, value in result.facts.items()]
    title = f"{result.scenario} (rng seed {result.rng_seed})"
    console.result(result.summary(), lambda: console.table(title, ("fact", "#value"), rows))
    return _exit_code([result])


def _show(console: Console, title: str, head: str, results: Sequence[tuple[str, "Result"]]) -> None:
    columns = [(key, name) for key, name in _COLUMNS if any(key in result.facts for _, result in results)]
    rows = [
        [name, *(f"{result.facts[key]:,.4g}" if key in result.facts else "-" for key, _ in columns)]
        for name, result in results
    ]
    console.table(title, (head, *(name for _, name in columns)), rows)


def _sweep(arguments: Namespace, console: Console) -> int:
    from sim.scenario import changed, parse, setting

    key, values = _pair(arguments.vary, "--vary")
    table = _table_of(arguments)
    tables = [(value, changed(table, key, setting(value))) for value in values.split(",")]
    for value, varied in tables:
        parse(varied, f"{key}={value}")  # all of them, before the first one costs a minute
    name, seed, plain = arguments.scenario, arguments.rng_seed, arguments.interpreted
    results = [
        (value, _simulate(console, varied, name, seed, f"{key} = {value}", interpreted=plain))
        for value, varied in tables
    ]
    if arguments.report:
        from sim.report import sweep_page

        _write_page(console, arguments.report, lambda: sweep_page(key, results))
    runs = [{"value": value, **result.summary()} for value, result in results]
    console.result({"vary": key, "runs": runs}, lambda: _show(console, arguments.scenario, key, results))
    return _exit_code([result for _, result in results])


def _compare(arguments: Namespace, console: Console) -> int:
    from sim.result import Result
    from sim.scenario import ENGINES, changed, load_table

    results: list[tuple[str, Result]] = []
    for name in (arguments.a, arguments.b):
        saved = name.endswith(".npz")
        scenario, _, engine = name.rpartition("@") if name.rpartition("@")[2] in ENGINES else (name, "", "")
        if saved:
            result = Result.load(name)
        else:
            table = load_table(scenario)
            table = changed(table, "engine", engine) if engine else table
            result = _simulate(console, table, scenario, None, name, interpreted=arguments.interpreted)
        results.append((Path(name).stem if saved else name, result))
    if arguments.report:
        from sim.report import compare_page

        _write_page(console, arguments.report, lambda: compare_page(results))
    value = {"runs": [{"run": name, **result.summary()} for name, result in results]}
    console.result(value, lambda: _show(console, "", "run", results))
    return EXIT_OK
