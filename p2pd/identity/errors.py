"""What can be wrong with somebody's papers."""


class IdentityError(Exception):
    """A certificate, list or token does not prove what it should. Theirs: don't speak to them; the message says why."""
