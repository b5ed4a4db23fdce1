"""Where this machine is, as far as it can tell by itself.

On battery: by what the kernel says. On a metered network: by what NetworkManager says of the device of the default
route, where there is one. Blocks; whatever nobody tells is taken for not so.
"""

import subprocess
from pathlib import Path
from typing import Final

from p2pd.policy.citizenship import Here

POWER: Final = Path("/sys/class/power_supply")
ROUTES: Final = Path("/proc/net/route")
NMCLI_TIMEOUT_S: Final = 2.0


def look() -> Here:
    """Have a look."""
    device = _default_device()
    return Here(metered=bool(device) and _is_metered(device), battery=on_battery(POWER))


def on_battery(power: Path) -> bool:
    """There is a source of mains power, and none of them is online."""
    mains = [supply / "online" for supply in sorted(power.glob("*")) if _read(supply / "type") in ("Mains", "USB")]
    return bool(mains) and all(_read(online) == "0" for online in mains)


def _default_device() -> str:
    """The device of the first default route, '' when there is none."""
    for line in _read(ROUTES).splitlines()[1:]:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000":
            return fields[0]
    return ""


def _is_metered(device: str) -> bool:
    command = ["nmcli", "-g", "GENERAL.METERED", "device", "show", device]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=NMCLI_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip().startswith("yes")  # also `yes (guessed)`


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
