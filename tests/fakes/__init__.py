"""Real implementations of our seams that need no machine: used by tests, tested themselves."""
