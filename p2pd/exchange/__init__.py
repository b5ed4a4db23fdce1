"""The bodies of the exchange: connections to peers, and the swarms they carry. Brains decide, these rooms do."""

from .content import Content, StorageError
from .exchange import Exchange, Node
from .membership import Membership

__all__ = ["Content", "Exchange", "Membership", "Node", "StorageError"]
