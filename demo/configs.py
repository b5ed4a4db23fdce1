"""The configuration file of every process of the demo, in TOML, as an operator would write it."""

import json
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1:0"
"""Any free port: the ready line says which."""
FLEET = "demo"
REGION = "here"
SERVICE = "library"
PRODUCT = "library"


def toml(values: Mapping[str, object]) -> str:
    """TOML of plain values and of tables of them; JSON's strings, numbers and lists are TOML's too."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, table in values.items():
        if isinstance(table, Mapping):
            for name, content in table.items():
                text += f"\n[{key}.{name}]\n" + toml(content)
    return text


def global_tracker(state: Path) -> dict[str, object]:
    """Where releases are deployed to."""
    return {"fleet": FLEET, "listen": LOOPBACK, "state_directory": str(state)}


def regional_tracker(state: Path, upstream: str) -> dict[str, object]:
    """What the region's hosts talk to; it follows the global one."""
    return global_tracker(state) | {"region": REGION, "upstream": upstream}


def seeder(state: Path, store: str, tracker: str) -> dict[str, object]:
    """The origin shield in front of the blob store."""
    return {
        "fleet": FLEET,
        "region": REGION,
        "listen": LOOPBACK,
        "http_listen": LOOPBACK,
        "store": store,
        "cache_directory": str(state / "cache"),
        "tracker": [tracker],
    }


def daemon(home: Path, name: str, tracker: str, root: Path) -> dict[str, object]:
    """A host that runs the service."""
    return {
        "fleet": FLEET,
        "node": name,
        "region": REGION,
        "listen": LOOPBACK,
        "state_directory": str(home / "state"),
        "data_directory": str(home / "services"),
        "control_socket": str(home / "control"),
        "trackers": [tracker],
        "trust_root": str(root),
        "services": {SERVICE: {"product": PRODUCT}},
    }
