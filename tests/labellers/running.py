"""A method over traces, problem by problem, with the weightless policy behind it."""

from __future__ import annotations

import asyncio
import itertools

from prmdata.grading import Grader
from prmdata.labellers import LABELLERS, method
from prmdata.labellers.contract import Learns
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from tests.policy import Policy


def run(name: str, traces: list[Trace], policy: Policy, /, **settings: object) -> list[Trace]:
    """What comes of the traces, in their order; what a tree search grows stands at the end."""
    how = method(name, LABELLERS[name].verb, settings)

    async def each_problem() -> list[list[Trace]]:
        grader = Grader()
        return [
            await apply(how, group, Rollouts(policy, grader, RolloutSettings(seed=1)))
            for group in problems(traces)
        ]

    made = list(itertools.chain(*asyncio.run(each_problem())))
    return sorted(made, key=lambda trace: trace.origin.parent is not None)


def problems(traces: list[Trace]) -> list[list[Trace]]:
    return [list(group) for _, group in itertools.groupby(traces, key=lambda t: t.problem.id)]


def run_informed(traces: list[Trace], policy: Policy, /, **settings: object) -> list[Trace]:
    """What `posterior` makes of the traces after it has learned the policy from all of them."""

    async def each_problem() -> list[list[Trace]]:
        grader = Grader()
        how = method("posterior", "label", settings)
        assert isinstance(how, Learns)

        def rollouts() -> Rollouts:
            return Rollouts(policy, grader, RolloutSettings(seed=1))

        informed = await how.learned(problems(traces), rollouts, lambda line: None)
        return [await apply(informed, group, rollouts()) for group in problems(traces)]

    return list(itertools.chain(*asyncio.run(each_problem())))
