"""Two expressions with letters → whether they are the same, never the same, or something else.

They are expanded where they are polynomials, and probed at exact points where they are not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from prmdata.verifiers.mathematics.expressions import (
    Expression,
    Unreadable,
    Value,
    decimal_of,
    evaluate,
)
from prmdata.verifiers.mathematics.polynomials import (
    Monomial,
    Polynomial,
    degree,
    degrees,
    difference,
    letters_of,
    product,
    ratio_of,
    shown,
)

_POINTS = 6
_FEWEST = 3
"""Points at which both must have a value, to say anything."""
_SAME = Fraction(1, 10**25)


@dataclass(frozen=True, slots=True)
class Comparison:
    same: bool
    """Equal whatever the letters stand for."""
    never: bool = False
    """They differ by a constant: equal for nothing that the letters may stand for."""
    agreeing: int = 0
    """Terms that are the same in both; 0 where they are no polynomials."""
    differing: int = 0
    shared: bool = False
    """What differs is the number before terms that both have."""
    alike: bool = False
    """Their highest powers are those of the same letters."""
    expected: str = ""


def compared(left: Expression, right: Expression) -> Comparison | None:
    """`None` where there is nothing to be said."""
    try:
        return _of_ratios(left, right)
    except Unreadable:
        return _by_probing(left, right)


def _of_ratios(left: Expression, right: Expression) -> Comparison:
    """Both over one denominator: what counts is their numerators."""
    (one, under), (other, below) = ratio_of(left), ratio_of(right)
    if under != below:
        one, other, under = product(one, below), product(other, under), product(under, below)
    rest = difference(one, other)
    if not rest:
        return Comparison(same=True)
    every = {*one, *other}
    top = _leading(one)
    note = f"{shown(one)} is not {shown(other)}"
    return Comparison(
        same=False,
        never=_is_multiple(rest, under),
        agreeing=len(every) - len(rest),
        differing=len(rest),
        shared=set(rest) <= {*one} & {*other},
        alike=top == _leading(other) or (len(every) - len(rest) >= 2 and bool(top & {*other})),
        expected=note if degrees(under) == 0 else f"over {shown(under)}, {note}",
    )


def _is_multiple(rest: Polynomial, under: Polynomial) -> bool:
    """Whether the one is a constant times the other."""
    if set(rest) != set(under):
        return False
    return len({rest[monomial] / under[monomial] for monomial in rest}) == 1


def _leading(polynomial: Polynomial) -> set[Monomial]:
    return {monomial for monomial in polynomial if degree(monomial) == degrees(polynomial)}


def _by_probing(left: Expression, right: Expression) -> Comparison | None:
    gaps, first = [], None
    for point in _points(letters_of(left) | letters_of(right)):
        try:
            a, b = evaluate(left, point), evaluate(right, point)
        except Unreadable:
            continue
        gaps.append(_gap(a, b))
        if gaps[-1] and first is None:
            first = point
    if len(gaps) < _FEWEST:
        return None
    if first is None:
        return Comparison(same=True)
    at = ", ".join(f"{letter} = {value}" for letter, value in first.items())
    note = f"the sides differ by {_short(gaps[-1])} whatever the letters are, as at {at}"
    never = max(gaps) - min(gaps) <= _SAME and all(gaps)
    return Comparison(same=False, never=never, expected=note)


def _gap(a: Value, b: Value) -> Fraction:
    gap = a.number - b.number
    exact = a.exact and b.exact
    return Fraction(0) if not exact and abs(gap) <= _SAME * (abs(a.number) + 1) else gap


def _points(letters: frozenset[str]) -> Iterator[dict[str, Fraction]]:
    for values in _values(len(letters)):
        yield dict(zip(sorted(letters), values, strict=True))


@cache
def _values(count: int) -> list[list[Fraction]]:
    """Whole numbers, for powers and factorials, then fractions; none below zero, for roots."""
    chosen = random.Random(count)
    whole = [[Fraction(chosen.randint(2, 40)) for _ in range(count)] for _ in range(_POINTS // 2)]
    return whole + [
        [Fraction(chosen.randint(1, 400), chosen.randint(2, 60)) for _ in range(count)]
        for _ in range(_POINTS // 2)
    ]


def _short(number: Fraction) -> str:
    text = str(number)
    return text if len(text) <= 12 else f"about {decimal_of(number)}"
