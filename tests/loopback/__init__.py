"""The commands on real sockets, files and signals. Few, and each bounded."""
