"""Attacks by name, each against the real daemon, services or trust code, in virtual time. Run: `pytest tests/attacks`.

`siege` puts a host among servers that are all the attacker's: the tracker says what it likes, the mirror serves what it
likes. Whoever doubts a claim of docs/security.md finds the test there by its name.
"""
