"""How long a swarm takes on shaped links, ours beside the others: `python -m benchmarks.swarm --help`."""
