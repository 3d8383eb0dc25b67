"""A hidden number: guesses are answered with higher or lower (search-based verification, as in
Verifiable Process Rewards).

A guess is right where the number can still be found in as few guesses as were needed before it, in
the worst case.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from prmdata.records import Problem
from prmdata.worlds.contract import Move, made, whole


def needed(size: int) -> int:
    """Guesses that find one of so many numbers in the worst case."""
    return size.bit_length()


@dataclass(frozen=True, slots=True)
class Interval:
    hidden: int
    low: int
    high: int
    left: int
    """Guesses."""


class Search:
    name: ClassVar[str] = "search"
    tools: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "name": "guess",
            "description": "Guesses the hidden number; says whether it is higher or lower.",
            "parameters": {"number": {"type": "integer"}},
        },
    )

    def problem(self, seed: int, index: int) -> Problem:
        chance = random.Random(f"search {seed} {index}")
        size = chance.randrange(6, 100)
        hidden, guesses = chance.randint(1, size), needed(size)
        question = (
            f"A whole number from 1 to {size} is hidden. Find it with the tool guess, in at most "
            f"{guesses} guesses. Then end with a line: The answer is NUMBER."
        )
        return made(self.name, seed, index, question, str(hidden), {"size": size, "hidden": hidden})

    def start(self, problem: Problem) -> Interval:
        size = int(problem.context["size"])
        return Interval(int(problem.context["hidden"]), 1, size, needed(size))

    def act(self, state: Interval, arguments: Mapping[str, Any], tool: str = "") -> Move[Interval]:
        del tool
        number = whole(arguments, "number")
        if state.left == 0:
            return Move(state, "No guesses are left.", False, "no guesses are left", over=True)
        spent = replace(state, left=state.left - 1)
        if number is None or not state.low <= number <= state.high:
            low, high = state.low, state.high
            outside = f"{number} is not among {low} to {high}, where the number can be"
            return Move(spent, _told(state.hidden, number), False, outside)
        before = needed(state.high - state.low + 1)
        worst = max(needed(number - state.low), needed(state.high - number))
        right = worst < before
        note = (
            None if right else f"{worst} more guesses may be needed after it, {before - 1} would do"
        )
        if number < state.hidden:
            spent = replace(spent, low=number + 1)
        elif number > state.hidden:
            spent = replace(spent, high=number - 1)
        else:
            spent = replace(spent, low=number, high=number)
        return Move(spent, _told(state.hidden, number), right, note)

    def answered(self, state: Interval, text: str) -> tuple[bool, float]:
        found = re.findall(r"-?\d+", text)
        right = bool(found) and int(found[-1][:9]) == state.hidden
        return right, float(right)


def _told(hidden: int, number: int | None) -> str:
    if number is None:
        return "Give a whole number."
    if number == hidden:
        return "That is it."
    return "It is higher." if number < hidden else "It is lower."
