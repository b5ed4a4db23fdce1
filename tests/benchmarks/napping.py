"""A command to be started and killed: naps for so many seconds, and exits with a code."""

import time


def main(argv: list[str]) -> int:
    """`nap SECONDS CODE`; anything else is an error of ours."""
    _, seconds, code = argv
    print(f"napped {seconds} s", flush=True)
    time.sleep(float(seconds))
    return int(code)
