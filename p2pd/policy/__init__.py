"""One rule, one file, one page. A policy knows facts, never peers, sockets or clocks; simulator and daemon share it."""
