"""Bugs to plant, one at a time, in a copy of the source: what chaos must find, and by which rule.

A mutation is (file, what stands there, what stands there instead). `first`: a seed that is known to find it, tried
first; whether it still does is not asked, for another change of the daemon gives every seed another course.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """`rules`: those of the checkers that may notice."""

    name: str
    file: str
    before: str
    after: str
    rules: tuple[str, ...]
    first: int


PLANTED = (
    Planted(
        "a piece is kept without looking at its digest",
        "p2pd/store/store.py",
        "            if not verified:\n                verify(manifest.algorithm, data, manifest.digest(piece))\n",
        "",
        ("visible", "honest"),
        10,
    ),
    Planted(
        "a finished release is shown before its bytes are synced",
        "p2pd/store/placing.py",
        "    if artifact.in_place:\n        disk.sync(root)\n",
        "    if True:\n        pass\n",
        ("visible",),
        95,
    ),
    Planted(
        "a restarted daemon forgets what it had verified",
        "p2pd/store/recovery.py",
        "        artifact.restore(state)\n",
        "        pass\n",
        ("twice", "crash"),
        363,
    ),
    Planted(
        "one party's signature is enough",
        "manifests/trust.py",
        "    if len(signed) < len(PARTIES):\n",
        "    if len(signed) < 1:\n",
        ("allowed",),
        52,
    ),
    Planted(
        "an older release is taken although nobody ordered that",
        "p2pd/install/lifecycle.py",
        "        if newer and aim and not aim.rollback:\n",
        "        if newer and aim and aim.release == newer:\n",
        ("allowed",),
        23,
    ),
    Planted(
        "a failed health check counts as passed",
        "p2pd/install/installer.py",
        "        return False, failure\n",
        '        return True, ""\n',
        ("allowed", "liveness"),
        144,
    ),
    Planted(
        "the upload cap is not kept",
        "p2pd/policy/pacing.py",
        "        return max(0.0, (ticket - self._passed) / self.rate_bytes_per_s) if self._capped else 0.0\n",
        "        return 0.0\n",
        ("limits",),
        101,
    ),
    Planted(
        "a piece that could not be written stays `being verified` for ever",
        "p2pd/swarm/swarm.py",
        '        """A piece that was delivered could not be stored (disk), or HTTP did not bring it."""\n'
        "        self._books.give_up(piece)\n",
        '        """A piece that was delivered could not be stored (disk), or HTTP did not bring it."""\n',
        ("liveness",),
        90,
    ),
    Planted(
        "what is read from disk for a peer is not verified",
        "p2pd/store/reading.py",
        "    return data if digest_function(manifest.algorithm)(data) == manifest.digest(piece) else None\n",
        "    return data\n",
        ("honest", "visible", "liveness"),
        89,
    ),
    Planted(
        "expired metadata is believed",
        "manifests/trust_updater.py",
        "    trusted_set.reference_time = datetime.fromtimestamp(now, UTC)\n",
        "    trusted_set.reference_time = datetime.fromtimestamp(1_700_000_000, UTC)\n",
        ("allowed",),
        139,
    ),
    Planted(
        "what a service must remember is written in place, not replaced",
        "p2pd/install/keeper.py",
        "        self._world.disk.replace(self._memory_path, data)\n",
        "        self._world.disk.remove_tree(self._memory_path)\n"
        "        self._world.disk.append(self._memory_path, data)\n",
        ("crash", "allowed", "liveness", "twice"),
        497,
    ),
)
