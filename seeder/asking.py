"""`p2p-seeder stats` and `p2p-seeder prefetch`: commands that ask a running seeder."""

import re
from argparse import Namespace
from dataclasses import asdict

import httpx

from manifests.console import EXIT_OK, Console, UnreachableError, UsageError, human_bytes
from manifests.names import parse_release
from p2pd.prometheus import parse
from p2pd.world.http import client
from p2pd.world.real import real_world
from p2pd.world.running import run_trio

from .prefetch import Prefetch, Prefetched

ANSWER_S = 5.0


def stats(arguments: Namespace, console: Console) -> int:
    """Show the counters of a running seeder; UnreachableError."""
    try:
        response = httpx.get(f"{arguments.url.rstrip('/')}/metrics", timeout=ANSWER_S, trust_env=False)
        response.raise_for_status()
        numbers = parse(response.text)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(f"{arguments.url}: {error}") from error
    except ValueError as error:
        raise UnreachableError(f"{arguments.url} is no seeder: {error}") from error
    rows = [(name, human_bytes(value) if "_bytes" in name else f"{value:.0f}") for name, value in numbers.items()]
    console.result(numbers, lambda: console.table(arguments.url, ("counter", "#value"), rows))
    return EXIT_OK


def prefetch(arguments: Namespace, console: Console) -> int:
    """Fetch a release into the cache of a running seeder."""
    done = run_trio(_prefetch, arguments, console)
    words = f"{done.release}: {done.chunks} chunks, {human_bytes(done.size_bytes)} are in the cache of {arguments.url}"
    console.result(asdict(done), lambda: console.say(words))
    return EXIT_OK


async def _prefetch(arguments: Namespace, console: Console) -> Prefetched:
    async with client() as http:
        asking = Prefetch(http, arguments.url)
        manifest = await asking.manifest(await _digest(arguments, asking))
        with console.progress(f"prefetch {manifest.release}", manifest.size) as bar:
            return await asking.warm(manifest, bar.advance)


async def _digest(arguments: Namespace, asking: Prefetch) -> bytes:
    if re.fullmatch(r"[0-9a-f]{64}", arguments.release):
        return bytes.fromhex(arguments.release)
    release = parse_release(arguments.release)
    if not arguments.root:
        raise UsageError("to look up a release by its name, give the pinned root: --root root.json")
    with open(arguments.root, "rb") as file:  # noqa: ASYNC230 - a command line that waits for nothing else
        root = file.read()
    return await asking.resolve(release, root, real_world().utc_now)
