"""A method's look at a few problems of the run, drawn by its seed, before it labels any."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable

from prmdata.files import Unreadable
from prmdata.labellers import Method
from prmdata.labellers.contract import Learns
from prmdata.records import Trace
from prmdata.run.stage import Resources
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.groups import Group

FEWEST = 12
"""Wrong traces from which anything is learned."""


def looks_first(method: Method) -> bool:
    return isinstance(method, Learns) and method.pilot > 0 and method.policy is None


async def informed(
    method: Method,
    groups: Iterable[Group],
    resources: Resources,
    settings: RolloutSettings,
    report: Callable[[str], None],
) -> tuple[Method, str]:
    """The method as the run will use it, and what identifies what it learned."""
    assert isinstance(method, Learns)
    problems = draw(groups, method.pilot, settings.seed)
    traces = sum(map(_wrong, problems))
    if traces < FEWEST:
        return method, "nothing"
    report(f"searches {traces:,} wrong traces of {len(problems):,} problems to learn the policy")

    def rollouts() -> Rollouts:
        return Rollouts(
            resources.sampler, resources.grader, settings, environments=resources.environments
        )

    found = await method.learned(problems, rollouts, report)
    return found, found.identity


def draw(groups: Iterable[Group], traces: int, seed: int) -> list[list[Trace]]:
    """Problems in an order of the seed's, until they hold so many wrong traces."""
    drawn: list[tuple[int, int, list[Trace]]] = []
    held = 0
    for number, group in enumerate(groups):
        if isinstance(group, Unreadable) or not _wrong(group):
            continue
        name = f"{seed} {group[0].problem.id}".encode()
        place = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
        heapq.heappush(drawn, (-place, number, [t for t in group if t.error is None]))
        held += _wrong(group)
        while held - _wrong(drawn[0][2]) >= traces:
            held -= _wrong(heapq.heappop(drawn)[2])
    return [group for _, _, group in sorted(drawn, key=lambda entry: -entry[0])]


def _wrong(group: list[Trace]) -> int:
    return sum(t.correct is False and t.error is None and bool(t.steps) for t in group)
