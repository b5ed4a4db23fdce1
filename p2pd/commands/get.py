"""`p2pd get`: one release to one path, by the whole machinery of the daemon, without a goal state."""

import hashlib
import os
import shutil
from argparse import Namespace
from collections.abc import Sequence
from math import inf
from typing import Final

import trio

from manifests.console import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_UNREACHABLE,
    CommandError,
    Console,
    UsageError,
    parse_bytes,
    parse_duration,
)
from manifests.names import ReleaseName, parse_release
from manifests.trust import Approved
from p2pd.config import Config
from p2pd.identity.config import IdentityConfig
from p2pd.member import Entry, fleet_network, with_proven_names
from p2pd.origin import OriginError
from p2pd.patching.config import PatchingConfig
from p2pd.service import Daemon
from p2pd.service import run as run_daemon
from p2pd.status import ways
from p2pd.store import Artifact, StoreError
from p2pd.world.memory import keep_freed
from p2pd.world.real import real_world
from p2pd.world.running import run_trio

LOOK_S: Final = 0.2
RETRY_S: Final = 0.5


def get(arguments: Namespace, console: Console) -> int:
    """Exit 0 with the release at the output path, or written into what was there; 1 when it exists (or does not), or
    the disk fails; 2 when there is nowhere to fetch from; 3 untrusted; 4 timed out."""
    in_place = bool(arguments.into)
    output = os.path.realpath(arguments.into) if in_place else os.path.abspath(arguments.output)
    release = parse_release(arguments.release)
    state_directory = arguments.state_directory or _state_directory(output)
    problem = _why_not_into(output) if in_place else _why_not_at(output, state_directory)
    if problem:
        console.error(problem)
        return EXIT_FAILED
    if not arguments.tracker and not arguments.origin:
        raise UsageError("nowhere to fetch from: give --tracker, --origin, or both")
    if (arguments.tracker or arguments.lan) and not (arguments.identity or arguments.insecure):
        raise UsageError("trackers and peers want to know who you are: give --identity (on one machine: --insecure)")
    try:
        config = _config(arguments, output, state_directory)
        timeout_s = parse_duration(arguments.timeout) if arguments.timeout else inf
        deadline_s = parse_duration(arguments.deadline) if arguments.deadline else inf
    except ValueError as error:
        raise UsageError(str(error)) from None
    keep_freed()
    try:
        result = run_trio(_get, config, release, output, in_place, timeout_s, deadline_s, console)
    except StoreError as error:
        raise CommandError(str(error)) from None
    if result is None:
        console.error(
            f"not there after {arguments.timeout}: what was verified is kept, the same command goes on from it"
        )
        return EXIT_UNREACHABLE
    if not arguments.state_directory:  # one of the user's own may hold more than ours
        shutil.rmtree(config.state_directory, ignore_errors=True)
    console.result(result, lambda: console.say(f"{release} is at {output}, verified"))
    return EXIT_OK


def _why_not_at(output: str, state_directory: str) -> str:
    """Why nothing may come to be there; '' if it may. Where a state was left, it is for the store to say: the last run
    may have been killed just after it put the release there."""
    if not os.path.lexists(output) or os.path.isdir(state_directory):
        return ""
    return f"{output} is there already: remove it, or choose another path"


def _why_not_into(output: str) -> str:
    """Why nothing may be written over what is there; '' if it may."""
    if not os.path.exists(output):
        return f"{output} is not there: --into needs a file or a block device that is large enough"
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        if any(line.split(" ")[0] == output for line in mounts):
            return f"{output} is mounted: what runs from it would break"
    return ""


def _config(arguments: Namespace, output: str, state_directory: str) -> Config:
    """ValueError names what is wrong."""
    return Config(
        insecure=not arguments.identity,
        identity=IdentityConfig(directory=arguments.identity or ""),
        state_directory=state_directory,
        data_directory=os.path.dirname(output),
        fleet=arguments.fleet,
        region=arguments.region,
        trackers=tuple(arguments.tracker or ()),
        origins=tuple(arguments.origin or ()),
        trust_root=arguments.trust_root,
        lan_discovery=arguments.lan,
        listen="0.0.0.0:0" if arguments.lan else "127.0.0.1:0",
        patching=PatchingConfig(
            dear_link=arguments.dear_link,
            fallback_bytes_max=parse_bytes(arguments.fallback_max) if arguments.fallback_max else 0,
            seeds=_seeds(arguments.seed or (), output),
        ),
    )


def _seeds(paths: Sequence[str], output: str) -> tuple[str, ...]:
    """ValueError for one that is no file."""
    seeds = tuple(os.path.realpath(path) for path in paths)
    for path in seeds:
        if not os.path.exists(path) or os.path.isdir(path):
            raise ValueError(f"--seed {path}: expected a file or a block device")
        if path == output:
            raise ValueError(f"--seed {path}: it is what will be written over")
    return seeds


def _state_directory(output: str) -> str:
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(home, "p2pd", "get", hashlib.sha256(os.fsencode(output)).hexdigest()[:16])


async def _get(
    config: Config,
    release: ReleaseName,
    output: str,
    in_place: bool,
    timeout_s: float,
    deadline_s: float,
    console: Console,
) -> dict[str, object] | None:
    entry = Entry(config.identity, config.state_directory, config.insecure, "daemon", config.node, config.trackers)
    due_at = trio.current_time() + deadline_s
    with trio.move_on_after(timeout_s):
        async with fleet_network(entry, console.note) as network, trio.open_nursery() as nursery:
            daemon: Daemon = await nursery.start(run_daemon, with_proven_names(config, network), real_world(network))
            daemon.downloads.finish_by(str(release), due_at)
            approved = await _resolve(daemon, release, console)
            artifact = await _fetch(daemon, approved, output, in_place, console)
            nursery.cancel_scope.cancel()
        return {
            "release": str(release),
            "output": output,
            "size_bytes": artifact.manifest.size,
            "bytes_by_source": artifact.bytes_by_source,
            "duplicate_bytes": artifact.duplicate_bytes,
            "pack_bytes": daemon.downloads.patching.counts.pack_bytes,
            "fallback_bytes": daemon.downloads.patching.counts.fallback_bytes,
            **ways(artifact),
        }
    return None


async def _resolve(daemon: Daemon, release: ReleaseName, console: Console) -> Approved:
    """What is signed; waits while no source of metadata answers."""
    said = ""
    while True:
        try:
            return await daemon.resolver.resolve(release)
        except OriginError as error:
            if error.reason != said and daemon.origins.any:
                said = error.reason
                console.note(f"waiting for the trust metadata: {said}")
            await trio.sleep(RETRY_S)


async def _fetch(daemon: Daemon, approved: Approved, output: str, in_place: bool, console: Console) -> Artifact:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_show, daemon, approved, console)
        artifact = await daemon.downloads.fetch(approved, output, in_place=in_place)
        nursery.cancel_scope.cancel()
    return artifact


async def _show(daemon: Daemon, approved: Approved, console: Console) -> None:
    """A progress bar while it goes on, and a line whenever it begins to wait for something else."""
    while (artifact := daemon.store.artifacts.get(approved.digest)) is None:  # noqa: ASYNC110 - a look for a person's eye
        await trio.sleep(LOOK_S)
    shown, said = 0, ""
    with console.progress(str(approved.release), artifact.manifest.size) as bar:
        while True:
            bar.advance(artifact.present_bytes - shown)
            shown = artifact.present_bytes
            words = daemon.downloads.waits_for(str(approved.release))
            if words and words.split()[0] != said:
                said = words.split()[0]
                console.note(f"waiting for {words}")
            await trio.sleep(LOOK_S)
