"""The simulator's busiest code as machine code: made by `p2p-sim compile`, used while it fits the sources, missed by
nobody.

    sources --(`building`: mypyc, a C compiler)--> a folder named by a digest of all that it was made from
                                                   --(`serving`: if that very folder is there)--> `import p2pd.swarm`

There is a `group` for the engine quick (the brains) and one for the engine fleet (their bodies and the simulated world,
too). Only the simulator looks there. A daemon on a machine runs the sources.
"""

from .group import GROUPS
from .serving import compiled, found, serve

__all__ = ["GROUPS", "compiled", "found", "serve"]
