"""`python -m manifests` is `p2p-manifest`."""

from .cli import main

raise SystemExit(main())
