"""Tier 2: the daemon's own brains on a heap, without sockets, tasks or bytes."""

from .simulate import Link, Outcome, simulate

__all__ = ["Link", "Outcome", "simulate"]
