"""The brains as machine code, for the simulator: made by `p2p-sim compile`, used while it fits the sources, missed by
nobody.

    sources --(`building`: mypyc, a C compiler)--> a folder named by a digest of all that it was made from
                                                   --(`serving`: if that very folder is there)--> `import p2pd.swarm`

Only the simulator looks there. A daemon runs the sources.
"""

from .serving import compiled, found, serve

__all__ = ["compiled", "found", "serve"]
