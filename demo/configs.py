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


def toml(values: Mapping[str, object], path: str = "") -> str:
    """TOML of plain values and of tables, also within tables; JSON's strings, numbers and lists are TOML's too."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, table in values.items():
        if isinstance(table, Mapping):
            text += f"\n[{path}{key}]\n" + toml(table, f"{path}{key}.")
    return text


def joining(token: Path | None) -> dict[str, object]:
    """How a service gets its identity: with a token, or not at all, which stays on this machine."""
    return {"identity": {"token_file": str(token)}} if token else {"insecure": True}


def global_tracker(state: Path, authority: Path | None = None) -> dict[str, object]:
    """Where releases are deployed to, and who answers for the fleet's authority."""
    who: dict[str, object] = {"ca_directory": str(authority)} if authority else {"insecure": True}
    return {"fleet": FLEET, "listen": LOOPBACK, "state_directory": str(state)} | who


def regional_tracker(state: Path, upstream: str, token: Path | None = None) -> dict[str, object]:
    """What the region's hosts talk to; it follows the global one."""
    values = {"fleet": FLEET, "listen": LOOPBACK, "state_directory": str(state)}
    return values | {"region": REGION, "upstream": upstream} | joining(token)


def seeder(state: Path, store: str, tracker: str, token: Path | None = None) -> dict[str, object]:
    """The origin shield in front of the blob store."""
    return joining(token) | {
        "fleet": FLEET,
        "region": REGION,
        "listen": LOOPBACK,
        "http_listen": LOOPBACK,
        "local_listen": LOOPBACK,
        "state_directory": str(state),
        "store": store,
        "cache_directory": str(state / "cache"),
        "tracker": [tracker],
    }


def daemon(home: Path, name: str, tracker: str, root: Path, token: Path | None = None) -> dict[str, object]:
    """A host that runs the service."""
    return joining(token) | {
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
