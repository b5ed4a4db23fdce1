"""The fleet's certificate authority: makes members of machines, and takes that back.

authority      keys and signatures: what a certificate and a revocation list look like. Pure
ledger         tokens, certificates and revocations, in SQLite
desk           who gets a certificate, and who does not
folder         where the authority's files lie
cli, commands  `p2p-tracker ca`
"""
