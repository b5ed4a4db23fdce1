"""Who broke the protocol: they (drop the peer) or we (a bug)."""


class RemoteProtocolError(Exception):
    """The peer sent what it may not send. The answer is to drop the peer."""


class LocalProtocolError(Exception):
    """We were about to send what we may not send. Our bug: let the task crash."""
