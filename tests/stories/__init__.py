"""End to end: the shipped services in one process, under a virtual clock. Each test is a promise."""
