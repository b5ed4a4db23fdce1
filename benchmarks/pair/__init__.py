"""How fast one daemon fetches from one other, unshaped: `python -m benchmarks.pair --help`."""
