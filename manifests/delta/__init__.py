"""Deltas: a release's pieces in other forms than their own bytes, mostly as patches of an earlier release's."""
