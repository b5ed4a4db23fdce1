"""Tier 1: the shipped daemon, tracker and seeder, unmodified, many times in one process, on a virtual clock."""
