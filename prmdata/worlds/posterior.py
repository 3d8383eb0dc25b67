"""Which machine is broken? Tests with known error rates (posterior-based verification, as in
Verifiable Process Rewards).

A test is right where no other would be expected to raise the probability of the likeliest cause by
more than a hundredth beyond it; an answer is right where no cause is likelier.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from prmdata.records import Problem
from prmdata.worlds.contract import Move, made, whole

MACHINES, TESTS = 4, 5
SLACK = 0.01
STRONG = 0.85
"""A cause of this probability is enough to answer; testing on is then right too."""


@dataclass(frozen=True, slots=True)
class Belief:
    prior: tuple[float, ...]
    table: tuple[tuple[float, ...], ...]
    """Test → machine → the chance of a positive result where that machine is the broken one."""
    results: tuple[bool, ...]
    """Of each test: what it says, and says again."""
    done: tuple[int, ...] = ()

    @property
    def now(self) -> list[float]:
        return updated(self.prior, [(self.table[t], self.results[t]) for t in self.done])


def updated(prior: Sequence[float], seen: Sequence[tuple[Sequence[float], bool]]) -> list[float]:
    """Bayes' rule."""
    weights = list(prior)
    for rates, positive in seen:
        weights = [
            w * (rate if positive else 1 - rate) for w, rate in zip(weights, rates, strict=True)
        ]
    total = sum(weights)
    return [w / total for w in weights]


def gain(belief: Sequence[float], rates: Sequence[float]) -> float:
    """How much a test is expected to raise the probability of the likeliest machine."""
    expected = 0.0
    for positive in (True, False):
        joint = [
            p * (rate if positive else 1 - rate) for p, rate in zip(belief, rates, strict=True)
        ]
        expected += max(joint)
    return expected - max(belief)


class Posterior:
    name: ClassVar[str] = "posterior"
    tools: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "name": "test",
            "description": "Runs a test, numbered from 1, once; says positive or negative.",
            "parameters": {"number": {"type": "integer"}},
        },
    )

    def problem(self, seed: int, index: int) -> Problem:
        chance = random.Random(f"posterior {seed} {index}")
        weights = [chance.randint(1, 6) for _ in range(MACHINES)]
        prior = [w / sum(weights) for w in weights]
        table = [
            [chance.choice((5, 10, 20, 50, 80, 90, 95)) / 100 for _ in range(MACHINES)]
            for _ in range(TESTS)
        ]
        broken = chance.choices(range(MACHINES), prior)[0]
        results = [chance.random() < rates[broken] for rates in table]
        lines = [
            f"Test {t + 1}: " + ", ".join(f"{round(100 * rate)}%" for rate in rates)
            for t, rates in enumerate(table)
        ]
        question = (
            f"One of the machines 1 to {MACHINES} is broken; before any test the odds are "
            f"{':'.join(map(str, weights))}. These are the chances of a positive result where "
            "machine 1, 2, 3 or 4 is the broken one:\n" + "\n".join(lines) + "\n"
            "Use the tool test at most twice, then end with a line: The answer is NUMBER, the "
            "machine that is most likely broken."
        )
        numbers = {"prior": prior, "table": table, "results": results}
        belief = self._belief(numbers)
        best = _best(belief)
        return made(self.name, seed, index, question, str(best + 1), numbers)

    def start(self, problem: Problem) -> Belief:
        return self._belief(problem.context)

    def _belief(self, numbers: Mapping[str, Any]) -> Belief:
        return Belief(
            tuple(numbers["prior"]),
            tuple(map(tuple, numbers["table"])),
            tuple(numbers["results"]),
        )

    def act(self, state: Belief, arguments: Mapping[str, Any], tool: str = "") -> Move[Belief]:
        del tool
        number = whole(arguments, "number")
        if len(state.done) == 2:
            return Move(state, "No test is left.", False, "no test is left", over=True)
        if number is None or not 1 <= number <= TESTS:
            return Move(
                state, f"Tests have the numbers 1 to {TESTS}.", False, "there is no such test"
            )
        test = number - 1
        said = "positive" if state.results[test] else "negative"
        if test in state.done:
            return Move(state, said, False, "this test says the same again")
        after = Belief(state.prior, state.table, state.results, (*state.done, test))
        gains = [
            0.0 if t in state.done else gain(state.now, rates)
            for t, rates in enumerate(state.table)
        ]
        best = max(range(TESTS), key=lambda t: gains[t])
        right = gains[test] >= gains[best] - SLACK
        note = None if right else f"test {best + 1} would be expected to tell more"
        return Move(after, said, right, note)

    def answered(self, state: Belief, text: str) -> tuple[bool, float]:
        """The reward asks for the likeliest machine after the best tests, whichever were made."""
        found = re.findall(r"\d+", text)
        named = int(found[-1][:9]) - 1 if found else -1
        belief = state.now
        right = 0 <= named < MACHINES and belief[named] >= max(belief) - SLACK
        return right, float(right and bool(state.done))


def _best(belief: Belief) -> int:
    """The likeliest machine where each test is the one that is expected to tell most."""
    for _ in range(2):
        gains = [
            -1.0 if t in belief.done else gain(belief.now, rates)
            for t, rates in enumerate(belief.table)
        ]
        test = max(range(TESTS), key=lambda t: gains[t])
        belief = Belief(belief.prior, belief.table, belief.results, (*belief.done, test))
    return max(range(MACHINES), key=lambda m: belief.now[m])
