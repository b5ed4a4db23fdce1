"""The daemon: fetches, checks, installs and serves releases, peer to peer."""
