"""A method over traces, problem by problem, with the weightless policy behind it."""

from __future__ import annotations

import asyncio
import itertools

from prmdata.grading import Grader
from prmdata.labellers import LABELLERS, method
from prmdata.labellers.contract import Learns
from prmdata.labellers.fusion.panel import Member, Panel
from prmdata.labellers.weaver import Weaver, Woven
from prmdata.records import Trace
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.label import apply
from tests.policy import Policy, RewardModel

PANEL = Panel(
    tuple(Member(name, 0.1, 0.5, 0.6, 0.1, 0.9, 1, 0.8, 0.5, 0.2) for name in ("mc", "outcome")),
    dropped={},
    no_error=(0.4, 0.9, 0.05),
    worth=1.5,
    unseen=0.01,
)
"""What `weaver` would have learned of two voices."""


def run(name: str, traces: list[Trace], policy: Policy, /, **settings: object) -> list[Trace]:
    """What comes of the traces, in their order; what a tree search grows stands at the end."""
    how = method(name, LABELLERS[name].verb, settings)
    if isinstance(how, Weaver):
        how = Woven(how, PANEL)
    if "ratings" in how.needs:
        policy = RewardModel({})

    async def each_problem() -> list[list[Trace]]:
        grader = Grader()
        return [
            await apply(how, group, Rollouts(policy, grader, RolloutSettings(seed=1), policy))
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
