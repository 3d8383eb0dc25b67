"""A method's look at a few problems of the run before it labels any: drawn by its seed, or the
first ones of a stream, which passes once."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator

from prmdata.errors import BudgetReached
from prmdata.files import Unreadable
from prmdata.labellers import Method
from prmdata.labellers.contract import Learns
from prmdata.records import Trace
from prmdata.run.stage import Resources
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.stages.groups import Group

FEWEST = 30
"""Wrong traces from which anything is learned."""


def looks_first(method: Method) -> bool:
    return isinstance(method, Learns) and method.pilot > 0 and method.policy is None


async def informed(
    method: Method,
    problems: list[list[Trace]],
    resources: Resources,
    settings: RolloutSettings,
    report: Callable[[str], None],
) -> Method:
    """The method as the run will use it."""
    assert isinstance(method, Learns)
    traces = sum(map(_wrong, problems))
    if traces < min(FEWEST, method.pilot):
        return method
    report(f"searches {traces:,} wrong traces of {len(problems):,} problems to learn the policy")

    def rollouts() -> Rollouts:
        return Rollouts(
            resources.sampler, resources.grader, settings, environments=resources.environments
        )

    try:
        return await method.learned(problems, rollouts, report)
    except BudgetReached:
        report(
            "the budget was spent to learn the policy: raise --max-tokens-total, give "
            "--set policy=FILE (prmdata fit), or learn nothing with --set pilot=0"
        )
        raise


def opening(groups: Iterable[Group], traces: int) -> Iterator[Group]:
    """The first problems, until they hold so many wrong traces."""
    held = 0
    for group in groups:
        yield group
        held += 0 if isinstance(group, Unreadable) else _wrong(group)
        if held >= traces:
            return


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
