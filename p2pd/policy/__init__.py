"""One rule, one file, one page. A policy knows facts, never peers, sockets or clocks; the simulator runs the same rules."""
