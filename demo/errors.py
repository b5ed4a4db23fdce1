"""What can go wrong with the demo itself."""


class DemoError(Exception):
    """The demo can't go on; the message says what failed and where its words are."""
