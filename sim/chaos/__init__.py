"""Chaos: a fleet of the shipped services, a story and faults drawn from a seed, and what must hold all the same."""

from .draw import draw
from .run import Outcome, run_seed

__all__ = ["Outcome", "draw", "run_seed"]
