"""One libtorrent node, a process: says ready, waits for a line, then fetches or seeds until it is killed.

Its only argument is a JSON object: torrent, directory, seed, super_seeding, settings. `<directory>/done` appears when
all is there and verified.
"""

import json
import sys
from pathlib import Path
from typing import Any

import libtorrent as lt


def main() -> None:
    """Never returns."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    status = lt.alert.category_t.status_notification | lt.alert.category_t.error_notification
    session = lt.session()
    session.apply_settings(order["settings"] | {"alert_mask": status})
    print("ready", flush=True)
    sys.stdin.readline()
    what = lt.add_torrent_params()
    what.ti = lt.torrent_info(order["torrent"])
    what.save_path = order["directory"]
    what.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    if order["seed"]:
        what.flags |= lt.torrent_flags.seed_mode
    if order["super_seeding"]:
        what.flags |= lt.torrent_flags.super_seeding
    session.add_torrent(what)
    while True:
        session.wait_for_alert(60_000)
        for alert in session.pop_alerts():
            print(alert, flush=True)
            if isinstance(alert, lt.torrent_finished_alert):
                Path(order["directory"], "done").touch()


if __name__ == "__main__":
    main()
