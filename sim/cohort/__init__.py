"""Rollouts to hundreds of millions of devices: small LANs as exact chains, large ones as a weighted sample."""
