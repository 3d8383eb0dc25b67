"""Wrong traces of the weightless policy, with the place of their error from the oracle."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace

from prmdata.corrections import CORRECTIONS
from prmdata.grading import Grader
from prmdata.labellers.contract import Method
from prmdata.records import Labels, Trace
from prmdata.registry import make
from prmdata.sampler.protocol import Sampler
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from prmdata.truth import truth_of
from tests.labellers.running import problems


def labelled(trace: Trace, later: int = 0) -> Trace:
    """By the oracle, or so many steps later."""
    truth = truth_of(trace, "abacus")
    assert truth is not None
    first = truth.first_wrong
    if first is not None:
        first = min(first + later, len(trace.steps) - 1)
    values = tuple(float(first is None or i < first) for i in range(len(trace.steps)))
    return replace(trace, labels=Labels("oracle", first, values, 1.0))


def method(name: str, **settings: object) -> Method:
    return make(CORRECTIONS, name, settings)


def corrected(
    how: Method, traces: Sequence[Trace], policy: Sampler, teacher: Sampler | None = None
) -> list[Trace]:
    async def each_problem() -> list[list[Trace]]:
        grader, made = Grader(), []
        for group in problems(list(traces)):
            settings = RolloutSettings(seed=1)
            made.append(await apply(how, group, Rollouts(policy, grader, settings, teacher)))
        return made

    return list(itertools.chain(*asyncio.run(each_problem())))
