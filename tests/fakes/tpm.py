"""A real TPM 2.0 in software (Debian's swtpm), which a test starts and whose state is its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_S: Final = 20.0
PORTS_TRIED: Final = 20


@contextmanager
def software_tpm(state: Path) -> Iterator[str]:
    """How to reach it. What it keeps lies in this directory, made if need be: the same one is the same TPM again."""
    program = shutil.which("swtpm")
    if program is None:
        raise RuntimeError("these tests need a software TPM: apt-get install swtpm (`make setup` does, as root)")
    state.mkdir(exist_ok=True)
    for _ in range(PORTS_TRIED):
        port = _free_pair()
        process = subprocess.Popen(
            [program, "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear",
             "--server", f"type=tcp,port={port}", "--ctrl", f"type=tcp,port={port + 1}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            if _answers(process, port):
                yield f"swtpm:host=127.0.0.1,port={port}"
                return
        finally:
            process.terminate()
            process.wait()
    raise RuntimeError("no two free ports in a row for a software TPM")


def _free_pair() -> int:
    """Two ports in a row, which libtss2 wants, that were free a moment ago."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def _answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """False when it ended, because somebody else had taken a port meanwhile. Looks at the control channel: the other
    one belongs to whoever comes first."""
    ends_at = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port + 1), timeout=1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False
