"""Several critiques of one trace → verdicts, shares, and the one critique that carries them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from prmdata.judges.reading.critiques import Critique
from prmdata.records import Verdict

Rule = Literal["intersection", "majority", "union"]
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Vote:
    verdicts: tuple[Verdict, ...]
    values: tuple[float | None, ...]
    """The share of critiques that call a step right, among those that speak of it."""
    carrier: int | None
    """The first critique whose decision is that of the vote."""


def voted(critiques: Sequence[Critique], steps: int, rule: Rule) -> Vote:
    """A vote on each step, up to the first that it calls wrong; what comes after is unknown."""
    verdicts: list[Verdict] = ["unknown"] * steps
    values: list[float | None] = [None] * steps
    for step in range(steps):
        said = [c.verdicts[step] for c in critiques if c.verdicts[step] in ("right", "wrong")]
        if not said:
            continue
        wrong = said.count("wrong")
        values[step] = 1 - wrong / len(said)
        verdicts[step] = _ruled(wrong, len(said), rule)
        if verdicts[step] == "wrong":
            break
    decided = tuple(verdicts)
    return Vote(decided, tuple(values), _carrier(critiques, decided))


def _ruled(wrong: int, said: int, rule: Rule) -> Verdict:
    if rule == "union":
        return "wrong" if wrong else "right"
    if rule == "intersection":
        return "wrong" if wrong == said else "right"
    return "unknown" if 2 * wrong == said else "wrong" if 2 * wrong > said else "right"


def _carrier(critiques: Sequence[Critique], verdicts: tuple[Verdict, ...]) -> int | None:
    first = next((i for i, v in enumerate(verdicts) if v == "wrong"), None)
    end = len(verdicts) if first is None else first + 1
    agreeing = (
        at
        for at, found in enumerate(critiques)
        if found.first_wrong == first and found.verdicts[:end] == verdicts[:end]
    )
    return next(agreeing, None)


def most(said: Sequence[T]) -> T | None:
    """What is said most; nothing where two are said as often."""
    ranked = Counter(said).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
