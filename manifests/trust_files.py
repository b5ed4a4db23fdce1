"""Writing the small files that trust rests on, so that a power cut leaves the old one or the new one."""

import os
import tempfile
from pathlib import Path


def replace_durably(path: Path, data: bytes) -> None:
    """Make `path` hold `data`: old or new after a power cut, never half, and new once this returned."""
    try:
        if path.read_bytes() == data:
            return
    except FileNotFoundError:
        pass
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
