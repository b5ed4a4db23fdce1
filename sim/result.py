"""What a run found: scalars, arrays over time, and one summary that commands and notebooks share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .errors import ResultError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.generic]

FORMAT: Final = 1
PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)


def figure(value: float, form: str) -> str:
    """A fact for a person: yes or no in words, a number in this form."""
    return str(value).lower() if isinstance(value, bool) else format(value, form)


@dataclass(frozen=True, eq=False)
class Result:
    """One run. All arrays over time have one row per item of `time_s`; quantities are bytes and seconds.

    Every engine gives `time_s` and `completed` (share of the receivers, 0 to 1) and `bytes_by_source` (cumulative, one
    column per name in `labels["bytes_by_source"]`). Where an engine knows them: `finish_s` [receivers] (nan: never),
    `crossed_bytes` [time, region] (cumulative), `limits` [time, cause] (share of the waiting), and more.
    """

    scenario: str
    engine: str
    rng_seed: int
    about: str
    settings: Mapping[str, object]
    facts: Mapping[str, float]
    arrays: "Mapping[str, Array]"
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Plain values for `--json`: who, and every fact, by name."""
        head = {"scenario": self.scenario, "engine": self.engine, "rng_seed": self.rng_seed}
        facts = {key: value if isinstance(value, bool) else round(value, 6) for key, value in self.facts.items()}
        return head | facts

    def save(self, path: str) -> None:
        """Write everything to one `.npz` file."""
        import numpy as np

        head = {
            "format": FORMAT,
            "scenario": self.scenario,
            "engine": self.engine,
            "rng_seed": self.rng_seed,
            "about": self.about,
            "settings": self.settings,
            "facts": self.facts,
            "labels": self.labels,
        }
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, head=np.array(json.dumps(head)), **self.arrays)

    @classmethod
    def load(cls, path: str) -> "Result":
        """Read what `save` wrote; ResultError when it is something else."""
        import zipfile

        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as stored:
                head = json.loads(str(stored["head"]))
                arrays = {name: stored[name] for name in stored.files if name != "head"}
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ResultError(f"{path} is not a saved result: {error}") from None
        if head.pop("format", None) != FORMAT:
            raise ResultError(f"{path} was written by another version of the simulator; run the scenario again")
        head["labels"] = {name: tuple(names) for name, names in head["labels"].items()}
        return cls(arrays=arrays, **head)


def percentile_name(percent: float) -> str:
    """`p50`, `p99_9`: how a percentile is called among the facts."""
    return f"p{percent:g}".replace(".", "_")
