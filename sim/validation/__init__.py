"""The simulator against closed forms and published results: `CHECKS`, each with its source and its tolerance."""

from .checks import CHECKS, Check, Outcome

__all__ = ["CHECKS", "Check", "Outcome"]
