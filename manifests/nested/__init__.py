"""Compression inside a release: where it is, whether it could be made again, and what it costs every update."""
