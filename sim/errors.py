"""What can be wrong with a scenario or a result. Mostly the asker's to mend: the command exits with 2."""


class SimError(Exception):
    """Base of the simulator's errors."""


class ScenarioError(SimError):
    """The scenario can't be run as written; says which key, why, and what would do."""


class ResultError(SimError):
    """A file is not a saved result."""


class CompileError(SimError):
    """The brains can't be compiled here; the message says what is missing. The simulator runs without: exit code 1."""
