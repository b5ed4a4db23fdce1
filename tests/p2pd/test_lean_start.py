"""What a daemon loads before it does anything: every restart waits for it, and every host holds it."""

import subprocess
import sys

IDLE = ("aiortc", "click", "httpx._main", "numpy", "obstore", "pygments", "rich", "tpm2_pytss", "urllib3", "uvloop")
"""Of use to others, or only once they are needed."""


def test_a_daemon_loads_nothing_that_it_may_never_need() -> None:
    program = (
        "import sys; import p2pd.cli, p2pd.commands.run, p2pd.service; "
        f"print([name for name in {IDLE} if sys.modules.get(name) is not None])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
