"""A fleet's papers for a tracker and for every pretended host, as the fleet's authority would give them."""

import time
from pathlib import Path
from typing import Final

from p2pd.identity.keys import chain_pem, der, key_pem, new_key
from p2pd.world.network import Identity
from tracker.ca.authority import member_certificate, new_issuer, new_root

from .words import FLEET, REGION, name_of

LIFE_S: Final = 86_400.0
TRACKER: Final = "tracker"
TRACKER_REGION: Final = "global"


def make(directory: Path, hosts: int) -> None:
    """root.pem; tracker.pem, and 0.pem and so on for the hosts: each a certificate, those above it, and the key.

    All hosts have one key: that costs a connection nothing, and makes ten thousand in seconds.
    """
    now = time.time()
    root = new_root(FLEET, now)
    issuer = new_issuer(FLEET, root, now)
    above, key = chain_pem([der(issuer.certificate)]), new_key()
    directory.mkdir()
    (directory / "root.pem").write_bytes(chain_pem([der(root.certificate)]))
    members = [(TRACKER, Identity("tracker-global", TRACKER_REGION, "tracker", fleet=FLEET))]
    members += [(str(number), Identity(name_of(number), REGION, "daemon", fleet=FLEET)) for number in range(hosts)]
    for serial, (name, identity) in enumerate(members, start=1):
        certificate = member_certificate(issuer, identity, key.public_key(), serial, now, LIFE_S)
        (directory / f"{name}.pem").write_bytes(chain_pem([certificate]) + above + key_pem(key))
