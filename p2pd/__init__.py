"""The daemon: fetches, checks, installs and serves releases, peer to peer."""

import sys

# httpx brings a command-line tool, and that brings click, rich and pygments where they are installed: a fifth of a
# daemon's start, for nothing. Without the tool httpx does as where they are not.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
