"""Releases that are offered only to hosts that have shown what they run."""
