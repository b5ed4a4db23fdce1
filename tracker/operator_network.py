"""How an operator's command reaches a tracker: over its socket on this machine, or over TLS with a certificate."""

import os
from argparse import Namespace

from manifests.console import CommandError, UsageError
from p2pd.identity.config import IdentityConfig
from p2pd.identity.errors import IdentityError
from p2pd.papers import Papers
from p2pd.world.credentials import Credentials
from p2pd.world.demanding import TRACKERS, Demanding
from p2pd.world.network import Network
from p2pd.world.real import utc_now
from p2pd.world.real_network import RealNetwork
from p2pd.world.tls_network import TlsNetwork
from p2pd.world.unix_network import UnixNetwork


def operator_network(arguments: Namespace) -> tuple[Network, str]:
    """The network, and the name that our certificate proves ('' if none does). UsageError, CommandError."""
    if os.sep in arguments.tracker:
        return UnixNetwork(), ""
    if arguments.insecure:
        return RealNetwork(), ""
    papers = Papers(IdentityConfig(directory=arguments.identity), "")
    if not papers.there:
        raise UsageError(
            f"no papers in {arguments.identity}: `p2p-tracker ca issue --role release-manager --host YOU --output DIR` "
            "makes some; or give --tracker the path of the tracker's socket on its own machine"
        )
    try:
        network = TlsNetwork(Credentials(papers.files), utc_now)
    except IdentityError as error:
        raise CommandError(f"{arguments.identity}: {error}") from error
    return Demanding(network, TRACKERS), network.own.identity.node
