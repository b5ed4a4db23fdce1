"""What can go wrong at a tracker, by who is to blame."""


class RefusalError(Exception):
    """Somebody asked for what can't be done. Theirs: they are told why and what to do, and nothing has changed."""


class StoreError(Exception):
    """The tracker's own disk did not take or give back what it must. The operator's to mend."""
