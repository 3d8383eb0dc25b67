"""Which problems to train on, by their pass rates, and which of their traces.

Near a target (BOTS): a pass rate is drawn from what the traces leave possible (Thompson sampling),
so that problems seen little are tried too. In pairs: one that is nearly never solved beside one
that nearly always is (Beyond Variance). Of a problem, the traces whose outcomes vary most (D³S), or
that tell most of right and of wrong steps (balanced information).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.records import Trace

By = Literal["variance", "information"]
TOPICS = ("topic", "subject", "type", "level")
RARELY, MOSTLY = 0.25, 0.75


@dataclass(frozen=True, slots=True)
class Known:
    """What the traces of a problem say of it."""

    id: str
    right: float
    wrong: float
    topic: str = ""

    @property
    def rate(self) -> float | None:
        total = self.right + self.wrong
        return self.right / total if total else None


def known(group: Sequence[Trace], discount: float = 1.0) -> Known:
    """From the tally of what was sampled, else from the traces at hand. Counts of an older policy
    are discounted: they say less."""
    tally, problem = group[0].group, group[0].problem
    right, wrong = (
        (tally.right, tally.wrong)
        if tally is not None
        else (sum(t.correct is True for t in group), sum(t.correct is False for t in group))
    )
    topic = next((str(problem.meta[name]) for name in TOPICS if problem.meta.get(name)), "")
    return Known(problem.id, right * discount, wrong * discount, topic)


def near(problems: Iterable[Known], target: float, n: int, seed: int) -> list[str]:
    """The n problems whose drawn pass rates are nearest to the target."""

    def distance(problem: Known) -> float:
        chance = random.Random(f"{seed} {problem.id}")  # whatever else is in the file
        return abs(chance.betavariate(1 + problem.right, 1 + problem.wrong) - target)

    return [problem.id for problem in sorted(problems, key=distance)[:n]]


def paired(problems: Iterable[Known], n: int) -> list[tuple[str, str]]:
    """Up to n problems, two by two: rarely solved beside mostly solved, of the same topic."""
    rare, mostly = defaultdict[str, list[Known]](list), defaultdict[str, list[Known]](list)
    for problem in problems:
        rate = problem.rate
        if rate is not None and 0 < rate <= RARELY:
            rare[problem.topic].append(problem)
        elif rate is not None and MOSTLY <= rate < 1:
            mostly[problem.topic].append(problem)
    pairs = [
        (hard.id, easy.id)
        for topic, found in rare.items()
        for hard, easy in zip(_by_rate(found), _by_rate(mostly[topic])[::-1], strict=False)
    ]
    return pairs[: n // 2]


def _by_rate(problems: Iterable[Known]) -> list[Known]:
    return sorted(problems, key=lambda problem: (problem.rate or 0.0, problem.id))


def best(group: Sequence[Trace], m: int, by: By) -> list[Trace]:
    """m of a problem's traces, in their order."""
    if len(group) <= m:
        return list(group)
    places = _varied(group, m) if by == "variance" else _informative(group, m)
    return [group[place] for place in sorted(places)]


def _varied(group: Sequence[Trace], m: int) -> list[int]:
    """The lowest and the highest rewards, as many of each as make the variance largest."""
    order = sorted(
        (place for place in range(len(group)) if _reward(group[place]) is not None),
        key=lambda place: (_reward(group[place]) or 0.0, place),
    )
    if len(order) <= m:
        ungraded = [place for place in range(len(group)) if _reward(group[place]) is None]
        return [*order, *ungraded][:m]
    choices = [order[:low] + order[len(order) - (m - low) :] for low in range(m + 1)]
    middle = m / 2 - 0.25  # of equals, half and half
    return max(
        choices,
        key=lambda chosen: (
            round(_variance([_reward(group[place]) or 0.0 for place in chosen]), 12),
            -abs(choices.index(chosen) - middle),
        ),
    )


def _reward(trace: Trace) -> float | None:
    if trace.score is not None:
        return trace.score
    return None if trace.correct is None else float(trace.correct)


def _variance(rewards: Sequence[float]) -> float:
    mean = sum(rewards) / len(rewards)
    return sum((reward - mean) ** 2 for reward in rewards) / len(rewards)


def _informative(group: Sequence[Trace], m: int) -> list[int]:
    return sorted(range(len(group)), key=lambda place: (-information(group[place]), place))[:m]


SMOOTHING = 0.05


def information(trace: Trace) -> float:
    """How evenly right and wrong steps are mixed, times how sure the right ones are: of steps by
    rollouts, the share with a hit and the mean value of these. 0 where no values are known."""
    counted = (e for e in reversed(trace.evidence) if e.kind == "rollouts" and e.values)
    found = next(counted, None)
    values = [value for value in found.values if value is not None] if found else []
    if not values:
        return 0.0
    right = [value for value in values if value > 0]
    share = len(right) / len(values)
    sure = sum(right) / len(right) if right else 1.0
    return (share * (1 - share) + SMOOTHING) * sure
