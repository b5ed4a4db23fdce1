"""Figures, each beside its claim: `python -m benchmarks.NAME --json`. They drive real processes, on loopback only."""
