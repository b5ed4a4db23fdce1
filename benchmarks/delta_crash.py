"""kill -9 at random moments of a real update by patches, again and again.

    python -m benchmarks.delta_crash [--kills 200] [--size '64 MiB'] [--into] [--rng-seed 1] [--json]

A release is published, and the next with a pack that leads to it and opens a compressed stream. `p2pd get` fetches the
pack over HTTP, makes the new release from the old file, and is killed; started again, it must go on. After every kill
and at every end:

    the output path holds nothing or the whole new release (with --into: it is called done only when it is)
    nothing that the journals called verified is asked for again, or forgotten
    the next start works

Most kills come a moment after a random share of what is left was verified (half of it at most), so that an update is
killed many times.
"""

import argparse
import functools
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

from manifests.codec import decode
from manifests.console import parse_bytes
from p2pd.store.journal import Replay

from .forked import Forking, Running

PRODUCT = "image"
EDIT_EVERY_BYTES = 50_000
EDIT_BYTES = 64
TEXT_PART = 16
"""Behind the image's noise lies a compressed text of a sixteenth of it, which the pack opens."""
PROGRAM_S_MAX = 300.0
EARLY_SHARE = 0.1
"""Of the kills, so many come at any moment from the start; the others once pieces are being made."""
LOOK_S = 0.002
MOMENT_S = 0.02
"""Behind what is written to the journal, up to which a kill comes."""
WHOLE_SHARE = 0.98
"""With so much verified an update is left to its end."""


@dataclass
class Door:
    """The blob store over HTTP, and the paths that were asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """What happened so far. `shares`: of the new release, what was verified when each kill came."""

    kills: int = 0
    finished: int = 0
    shares: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, door: Door, *details: Any, directory: str) -> None:
        self._door = door
        super().__init__(*details, directory=directory)

    def do_GET(self) -> None:
        self._door.asked.append(self.path.lstrip("/"))
        super().do_GET()

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - its name in the library
        """Nobody reads it."""


@contextmanager
def serving(directory: Path) -> Iterator[Door]:
    """The directory on loopback."""
    door = Door()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, door, directory=str(directory))) as server:
        door.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield door
        finally:
            server.shutdown()
            thread.join()


def publish(directory: Path, size: int, rng: Random) -> int:
    """Two images and the pack between them, signed by both parties; how many streams the pack opens."""
    plain, text = bytearray(rng.randbytes(size)), bytearray(rng.randbytes(size // TEXT_PART).hex().encode())
    for version in ("1", "2"):
        (directory / version).write_bytes(plain + gzip.compress(text, mtime=0))
        for at in range(0, size, EDIT_EVERY_BYTES):
            plain[at : at + EDIT_BYTES] = rng.randbytes(len(plain[at : at + EDIT_BYTES]))
        for at in range(0, len(text), EDIT_EVERY_BYTES):
            text[at : at + EDIT_BYTES] = rng.randbytes(EDIT_BYTES).hex().encode()[: len(text[at : at + EDIT_BYTES])]
    store = ("--store", str(directory / "store"))
    keys = {name: str(directory / f"{name}.key") for name in ("root", "targets", "online", "build", "release")}
    for name in keys:
        _manifest("keys", "new", name, "--unencrypted", "--directory", str(directory))
    signers = [word for name in ("root", "targets", "online") for word in (f"--{name}-key", keys[name])]
    _manifest("repo", "init", *store, *signers, "--output", str(directory / "root.json"))
    parties = [word for name in ("build", "release") for word in (f"--{name}-key", str(directory / f"{name}.pub"))]
    _manifest("repo", "add-product", PRODUCT, *store, "--targets-key", keys["targets"], *parties)
    made = dict[str, Any]()
    for version, base in (("1", ()), ("2", ("--base", "1"))):
        where = ("--product", PRODUCT, "--version", version, "--profile", "device", "--no-compressed")
        made = _manifest("publish", str(directory / version), *where, *base, *store)
        for party in ("build", "release"):
            _manifest("sign", f"{PRODUCT}@{version}", "--party", party, "--key", keys[party], *store)
    _manifest("repo", "promote", "--key", keys["online"], *store)
    return sum(pack["opened_streams"] for pack in made["packs"])


def _manifest(*words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "manifests", *words, "--json"], check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def journaled(state: Path) -> tuple[set[str], float]:
    """What the journals below a state directory call verified: digests in hex, and the share of the release's bytes."""
    digests, share = set[str](), 0.0
    for path in (*state.glob("journals/*"), *state.glob("packs/journals/*")):
        encoded = path.parent.with_name("manifests") / path.name
        if encoded.exists():
            manifest = decode(encoded.read_bytes())
            replay = Replay(bytes.fromhex(path.name), manifest.lengths)
            replay.read(path.read_bytes())
            present = [one for one in range(manifest.pieces) if replay.present[one >> 3] & 0x80 >> (one & 7)]
            digests |= {manifest.digest(one).hex() for one in present}
            if manifest.packs:
                share = sum(manifest.lengths[one] for one in present) / manifest.size
    return digests, share


class Trial:
    """One directory with a published image, and the command that fetches it."""

    def __init__(self, directory: Path, door: Door, forking: Forking, *, into: bool) -> None:
        self.directory, self.door, self.forking, self.into = directory, door, forking, into
        self.output, self.state = directory / "output", directory / "state"
        self.seen = Seen()
        self.new = (directory / "2").read_bytes()
        self.answer: dict[str, Any] = {}
        """Of the last command that came to its end."""

    def reset(self) -> None:
        """As before the first start."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.output.unlink(missing_ok=True)
        if self.into:
            self.output.write_bytes(bytes(len(self.new)))

    def run(self, kill: Callable[[Running], None] | None) -> bool:
        """Start the command, and kill it when `kill` returns (None: never); True if it came to its end.

        What is wrong is noted.
        """
        (verified, _), asked = journaled(self.state), len(self.door.asked)
        where = ("--into" if self.into else "--output", str(self.output), "--state-directory", str(self.state))
        trust = ("--trust-root", str(self.directory / "root.json"), "--origin", self.door.url)
        words = ("get", f"{PRODUCT}@2", *where, *trust, "--seed", str(self.directory / "1"), "--json")
        said, complaint = self.directory / "said", self.directory / "complaint"
        child = self.forking.start(words, said, complaint)
        if kill is not None:
            kill(child)
            child.kill()
        code = child.wait()
        ended = code != -signal.SIGKILL
        again = [path for path in self.door.asked[asked:] if path.rpartition("/")[2] in verified]
        if again:
            self.seen.violations.append(f"{len(again)} verified chunks were asked for again")
        if ended and code != 0:
            self.seen.violations.append(f"exit {code}: {complaint.read_text(errors='replace')[-500:]}")
        elif ended:
            self.answer = json.loads(said.read_bytes())
        elif forgotten := verified - journaled(self.state)[0]:
            self.seen.violations.append(f"{len(forgotten)} verified chunks were forgotten")
        self._look_at_output(ended=ended)
        return ended

    def _look_at_output(self, *, ended: bool) -> None:
        there = self.output.read_bytes() if self.output.exists() else None
        if self.into and not ended:
            return  # nobody said that it is done
        if there is None and ended:
            self.seen.violations.append("the command came to its end, and there is no output")
        if there is not None and there != self.new:
            self.seen.violations.append("the output is neither absent nor the new release")

    def wait_until_verified(self, child: Running, share: float) -> None:
        """Until so much of the release is in its journal, and that grew under this process; or the process ends."""
        before = seen = self._journal_bytes()
        while not child.ended:
            now = self._journal_bytes()
            if now != before and now != seen and journaled(self.state)[1] >= share:
                return
            seen = now
            time.sleep(LOOK_S)

    def _journal_bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.state / "journals").glob("*"))


def measure(trial: Trial, kills: int, rng: Random) -> Seen:
    """Kill it so often: most times while pieces are being made, sometimes before that."""
    seen, starting_s = trial.seen, _starting_s(trial)
    trial.reset()
    while seen.kills < kills and not seen.violations:
        _, share = journaled(trial.state)

        def kill(child: Running, share: float = share) -> None:
            if rng.random() < EARLY_SHARE:
                time.sleep(rng.uniform(0, starting_s))
            else:
                trial.wait_until_verified(child, rng.uniform(share, (1 + share) / 2))
                time.sleep(rng.uniform(0, MOMENT_S))

        if trial.run(None if share > WHOLE_SHARE else kill):
            seen.finished += 1
            trial.reset()
        else:
            seen.kills += 1
            seen.shares.append(journaled(trial.state)[1])
            _note(f"{seen.kills} of {kills} kills, {seen.finished} updates finished")
    if not seen.violations and trial.run(None):
        seen.finished += 1
    return seen


def _starting_s(trial: Trial) -> float:
    """Until it begins to make pieces."""
    began = time.monotonic()
    seconds = 0.0

    def watch(child: Running) -> None:
        nonlocal seconds
        trial.wait_until_verified(child, 0)
        seconds = time.monotonic() - began

    trial.reset()
    trial.run(watch)
    return seconds


def main() -> int:
    """0 when nothing was violated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--size", default="64 MiB", help="of the image")
    parser.add_argument("--into", action="store_true", help="write over a file that is there")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    rng = Random(given.rng_seed)
    with tempfile.TemporaryDirectory(prefix="p2pd-crash-", dir=os.environ.get("TMPDIR")) as name:
        directory = Path(name)
        opened = publish(directory, parse_bytes(given.size), rng)
        with serving(directory / "store") as door, Forking("p2pd.cli", "p2pd.commands.get") as forking:
            trial = Trial(directory, door, forking, into=given.into)
            seen = measure(trial, given.kills, rng)
    amid = sum(0 < share < 1 for share in seen.shares)
    figures = {
        "kills": seen.kills,
        "kills_while_applying": amid,
        "updates_finished": seen.finished,
        "patched_bytes": trial.answer.get("patched_bytes"),
        "opened_streams": opened,
        "size_bytes": trial.answer.get("size_bytes"),
        "violations": seen.violations,
    }
    if given.json:
        print(json.dumps(figures))
    else:
        print(f"\n{seen.kills} kills, {amid} while pieces were being made; {seen.finished} updates finished")
        print("\n".join(seen.violations) or "each restart went on where it was; old or new, never between")
    return 1 if seen.violations else 0


def _note(words: str) -> None:
    print(f"\r{words}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
