"""The same methods on a sampler that runs, instead of frozen rollouts.

python live.py data/traces.parquet http://127.0.0.1:8000/v1 --problems 20
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from compare import BASELINES, LOOP, Stand, baseline, run
from tables import Row, table

import prmdata
from prmdata.sampler import Sampler, open_sampler


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces", type=Path)
    options.add_argument("sampler", help="as for --sampler")
    options.add_argument("--problems", type=int)
    asked = options.parse_args()

    async def opened() -> Sampler:
        return await open_sampler(asked.sampler)

    sampler = LOOP.run(opened())
    stand = laid_out(asked.traces, sampler, asked.problems)
    rows = [Row(name, baseline(stand, *how)) for name, how in BASELINES.items()]
    print("\n".join(table(rows, Row("posterior", run(stand, "posterior")))))
    LOOP.run(sampler.close())


def laid_out(path: Path, sampler: Sampler, problems: int | None) -> Stand:
    traces = [trace for trace in prmdata.read(str(path)) if trace.error is None]
    groups = [list(g) for _, g in itertools.groupby(traces, key=lambda t: t.problem.id)]
    groups = groups[:problems]
    return Stand(groups, sampler, 64, {t.id for group in groups for t in group})


if __name__ == "__main__":
    main()
