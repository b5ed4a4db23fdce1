"""What a daemon loads before it does anything: every restart waits for it, and every host holds it."""

import subprocess
import sys

IDLE = ("aiortc", "click", "httpx._main", "numpy", "obstore", "pygments", "rich", "tpm2_pytss", "urllib3", "uvloop")
"""Of use to others, or only once they are needed."""


def told_by(program: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_a_daemon_loads_nothing_that_it_may_never_need() -> None:
    assert (
        told_by(
            "import sys; import p2pd.cli, p2pd.commands.run, p2pd.service; "
            f"print([name for name in {IDLE} if sys.modules.get(name) is not None])"
        )
        == "[]"
    )


def test_the_authorities_of_the_web_are_not_loaded_before_one_of_its_servers_is_asked() -> None:
    contexts = "[one for one in gc.get_objects() if isinstance(one, ssl.SSLContext)]"
    assert (
        told_by(
            "import gc, ssl; from p2pd.world.http import client; made = client(); "
            f"print(sum(one.cert_store_stats()['x509_ca'] for one in {contexts}))"
        )
        == "0"
    )
