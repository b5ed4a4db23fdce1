"""The swarm brain: what to ask whom for, what to tell whom, whom to give up. Pure: told the time, handed its dice."""

from .actions import Action, Complete, Drop, Fetch, Send, Serve
from .ledger import Ledger, Reason
from .snapshot import Snapshot
from .swarm import ORIGIN, Swarm

__all__ = ["ORIGIN", "Action", "Complete", "Drop", "Fetch", "Ledger", "Reason", "Send", "Serve", "Snapshot", "Swarm"]
