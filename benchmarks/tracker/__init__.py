"""What a tracker bears: announces, idle hosts, a storm. `python -m benchmarks.tracker --help`."""
