"""What ends a benchmark early."""

from manifests.console import CommandError


class BenchmarkError(CommandError):
    """It can't be measured here; the message says what to do about it."""
