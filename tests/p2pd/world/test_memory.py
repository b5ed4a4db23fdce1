"""Memory that is freed and taken again."""

import subprocess
import sys

from p2pd.world.memory import keep_freed

PIECES = """
import resource
from p2pd.world.memory import keep_freed
{first}
for _ in range(64):
    held = [bytearray(900_000) for _ in range(8)]
    del held
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(first: str) -> int:
    """Pages that a process had to ask the kernel for while it took and freed the buffers of 512 pieces."""
    said = subprocess.run([sys.executable, "-c", PIECES.format(first=first)], capture_output=True, check=True)
    return int(said.stdout)


def test_the_buffers_of_the_next_piece_are_those_of_the_last() -> None:
    assert faults("keep_freed()") < faults("") / 5


def test_it_says_whether_it_could() -> None:
    assert keep_freed()
