"""Harm of every kind, in random order and amount, for some minutes: `make soak`.

    python -m tests.soak [SEED [MINUTES [TRIALS]]]

Prints the seed, then the counts: trials, and what was lost, doubled, silent or hung, which is
nothing. A trial that failed is printed with the words that repeat it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import aiohttp  # noqa: F401  each process would import these anew
import jinja2  # noqa: F401
import pyarrow.parquet  # noqa: F401
import rich.console  # noqa: F401
import tokenizers  # noqa: F401

import prmdata.cli
import prmdata.sampler.endpoint.connecting
import prmdata.stages.export
import prmdata.stages.generate
import prmdata.stages.label
import prmdata.stages.verify  # noqa: F401
from tests.soak.processes import Hung, said_since
from tests.soak.trials import TRIALS
from tests.soak.world import World, world

FAULTS = ("lost", "doubled", "silent", "hung", "tracebacks", "unexpected ends")


def soak(seed: int, minutes: float, most: int, *, show: bool = True) -> Counter[str]:
    counts: Counter[str] = Counter()
    ends = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as place, world(Path(place)) as around:
        for number in range(most):
            if time.monotonic() > ends:
                break
            counts += trial(around, f"{seed}.{number}", show=show)
    return counts


def trial(around: World, seed: str, *, show: bool) -> Counter[str]:
    random = Random(seed)
    names = [name for name, (_, share) in TRIALS.items() for _ in range(share)]
    name = random.choice(names)
    folder = around.folder("trial")
    try:
        counts = Counter(TRIALS[name][0](around, folder, random))
    except Hung as run:
        counts = Counter(hung=1)
        print(f"hung: {run}", file=sys.stderr)
    said = said_since()
    faults = {what: counts[what] for what in FAULTS if counts[what]}
    if faults and show:
        print(f"trial {seed} ({name}): {faults}\n{said}", file=sys.stderr, flush=True)
    return counts + Counter({"trials": 1, f"trials: {name}": 1})


def main(seed: str = "", minutes: str = "18", most: str = "1000000") -> int:
    number = int(seed) if seed else time.time_ns() % 10**6
    print(f"seed {number}", flush=True)
    counts = soak(number, float(minutes), int(most))
    for name in ("trials", *FAULTS, *sorted(set(counts) - {"trials", *FAULTS})):
        print(f"{name:<30} {counts[name]:>8,}")
    return int(any(counts[name] for name in FAULTS))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
