"""`python -m tests.fuzz TARGET --minutes 10`: looks for bytes that make a decoder do what it never says it does.

    python -m tests.fuzz --list
    python -m tests.fuzz wire --minutes 10
    python -m tests.fuzz wire --reproduce crash-5f1a...      one input again, with its traceback
    python -m tests.fuzz --write-seeds                       good examples into tests/fuzz/corpus

A finding is written to the directory given with --findings, and the exit code is not 0. Put it into
tests/fuzz/corpus/TARGET once it is mended: every test run tries the whole corpus.
"""

import argparse
import sys
from pathlib import Path

SECONDS_AN_INPUT_MAX = 10
MEMORY_MIB_MAX = 1_024
INPUT_BYTES_MAX = 65_536


def main() -> int:
    """Does not return from fuzzing itself: libFuzzer ends the process, with 0 when it found nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--findings", metavar="DIR", default=".", help="where inputs that fail go (default: here)")
    parser.add_argument("--corpus", metavar="DIR", help="keep what reaches new code here, for the next run")
    parser.add_argument("--reproduce", metavar="FILE")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--write-seeds", action="store_true")
    given = parser.parse_args()
    if given.write_seeds:
        from tests.fuzz.seeds import write_corpus

        print(f"{write_corpus()} new")
        return 0
    import atheris

    with atheris.instrument_imports(include=["manifests", "p2pd", "tracker", "seeder"], enable_loader_override=False):
        from tests.fuzz import targets
        from tests.fuzz.seeds import CORPUS
    if given.list or given.target not in targets.TARGETS:
        for name, target in targets.TARGETS.items():
            print(f"{name:10} {(target.__doc__ or '').strip()}")
        return 0 if given.list else 2
    target = targets.TARGETS[given.target]
    if given.reproduce:
        target(Path(given.reproduce).read_bytes())
        return 0
    known = str(CORPUS / given.target)
    flags = [
        f"-max_total_time={int(given.minutes * 60)}",
        f"-timeout={SECONDS_AN_INPUT_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-artifact_prefix={given.findings.rstrip('/')}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *([given.corpus] if given.corpus else []), known, *flags], target)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
