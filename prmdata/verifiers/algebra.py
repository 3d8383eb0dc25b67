"""Checks the algebra that steps assert (GroundedPRM): rewritten expressions and solutions.

Two expressions with letters that a step claims equal are expanded or probed; a solution is
substituted back into the equations before it. Most equalities with letters are no identities: they
are to be solved, define something, or use what is known of their letters. So a step is wrong only
where it plainly rewrites an expression whose letters nothing is known of, or where what it draws
from the equation before it does not solve that.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from prmdata.records import Trace
from prmdata.settings import Count
from prmdata.verifiers.contract import FAILURES, Finding, attempted, prose_of
from prmdata.verifiers.mathematics.claims import Claim, claims
from prmdata.verifiers.mathematics.expressions import Apply, Expression, Name, Unreadable, Value
from prmdata.verifiers.mathematics.identities import Comparison, compared
from prmdata.verifiers.mathematics.letters import functions_in
from prmdata.verifiers.mathematics.polynomials import (
    has_product,
    is_simplified,
    letters_of,
    operations_of,
    polynomial_of,
)
from prmdata.verifiers.mathematics.solving import Equation, is_posed, precision, root_of
from prmdata.verifiers.mathematics.vocabulary import (
    CONDITIONS,
    DERIVES,
    FOREIGN,
    HYPOTHETICAL,
    LEADS_TO,
    NO_SOLUTION,
    OTHERS,
    PLACES,
    POSES,
    REWRITES,
    SOLVES,
)

_CONSTANTS = frozenset("ei")
"""They may stand for Euler's number and for √-1."""
_CASES = re.compile(
    r"\bcases\b|\b(?:first|second|third|other|another|each|one) case\b"
    r"|\bcase\s[(#*]{0,2}[0-9A-DI]\b|\b(?:either|otherwise|alternatively|possibilit(?:y|ies)|scenarios)\b|=[^=.\n]{1,40}\bor\b"
    r"|\\pm\b|±|\\lor\b|\\cup\b|\||\\[lr]?vert\b",
    re.IGNORECASE,
)
"""Several equations may each hold on their own; so of what stands between bars."""
_RENAMED = r"\b(?:be|as|by|is|call|called|denotes?|denoted|represents?|representing|equals?)\b"
_MOST_EQUATIONS = 40
_NEAR = 6
"""Words before a claim that may say what is done."""


@dataclass(frozen=True, slots=True)
class Algebra:
    """Checks rewritten expressions, and solutions by substituting them back."""

    longest: Count = 8000
    """Characters of the longest step to read; longer steps are unknown."""
    solutions: bool = True
    """Whether to substitute solutions back into the equations before them."""

    async def verify(self, trace: Trace) -> list[Finding]:
        return self.check(trace.problem.question, prose_of(trace))

    def check(self, question: str, steps: Sequence[str]) -> list[Finding]:
        """One finding per step; equations of the problem and of earlier steps are known."""
        question = question[: self.longest]
        context = _Context(functions_in(question), foreign=FOREIGN.search(question) is not None)
        with contextlib.suppress(*FAILURES):  # an odd question poses nothing
            for claim in claims(question, context.functions):
                context.pose(claim, given=True)
        return [attempted(partial(self._finding, text, context)) for text in steps]

    def _finding(self, text: str, context: _Context) -> Finding:
        context.hear(text[: self.longest])
        if len(text) > self.longest or "=" not in text:
            return Finding("unknown")
        right = False
        for claim in claims(text, context.functions):
            found = self._judged(claim, context)
            if found.verdict == "wrong":
                return found
            right = right or found.verdict == "right"
        return Finding("right" if right else "unknown")

    def _judged(self, claim: Claim, context: _Context) -> Finding:
        if not claim.letters or claim.letters & _CONSTANTS or context.foreign:
            return Finding("unknown")
        outcome = compared(claim.left, claim.right)
        if outcome is not None and outcome.same:
            return Finding("right" if claim.left != claim.right else "unknown")
        false = outcome is not None and _is_false(claim, outcome, context)
        if outcome is not None and false and not context.is_given(claim):
            return Finding("wrong", f"{claim.words}: {outcome.expected}")
        found = self._solved(claim, context) if self.solutions else None
        context.pose(claim)
        return found or Finding("unknown")

    def _solved(self, claim: Claim, context: _Context) -> Finding | None:
        """Whether what it says of its unknown solves the equation before it."""
        equation, root = claim.equation, None
        if equation is not None and claim.stands_alone:
            root = root_of(equation)
        if equation is None or root is None:
            return None
        before = [e for e in context.equations if e.letter == equation.letter]
        before = [e for e in before if (e.left, e.right) != (equation.left, equation.right)]
        firm = [e for e in before if not e.doubtful]
        holds = [e.holds(root) for e in firm]
        if True in holds:
            return Finding("right") if claim.is_firm else None
        if (
            not holds
            or None in holds
            or not claim.is_firm
            or not _follows(claim, context, firm[-1])
        ):
            return None
        if any(e.holds(root) is not False for e in before) or _is_case(equation, before):
            return None
        off = precision(claim.right)
        if not root.exact or (off and any(e.roughly(root, off) for e in before)):
            return None
        return Finding("wrong", f"{claim.words}: {firm[-1].at(root)}")


@dataclass(slots=True)
class _Context:
    functions: frozenset[str]
    foreign: bool = False
    """Numbers are not what they seem: another base, or a modulus."""
    cases: bool = False
    """There are several, each with an equation of its own."""
    equations: list[Equation] = field(default_factory=list)
    last: str | None = None
    """The letter of the latest equation; None where that had several."""
    solved: dict[str, Value] = field(default_factory=dict)
    """Letters with the value stated since their latest equation: another value is another story."""
    related: set[str] = field(default_factory=set)
    """Letters of which something is known: an expression may be rewritten by it."""
    given: set[object] = field(default_factory=set)
    """What stands as an equation in the problem, or was let pass as one."""

    def pose(self, claim: Claim, given: bool = False) -> None:
        if key := _key(claim):
            self.given.add(key)
        self.related |= self._bound(claim)
        equation = claim.equation
        self.last = equation.letter if equation else None
        if equation is None or not claim.stands_alone:
            return
        if not is_posed(equation):
            self._solve(claim, equation)
            return
        root = self.solved.get(equation.letter)
        if root is not None and equation.holds(root) is not True:
            del self.solved[equation.letter]
        doubtful = not (claim.is_firm or given) or claim.equality.near
        others = [replace(equation, left=o, doubtful=True) for o in claim.equality.others]
        posed = [*self.equations, *others, replace(equation, doubtful=doubtful)]
        self.equations = posed[-_MOST_EQUATIONS:]

    def _solve(self, claim: Claim, equation: Equation) -> None:
        """Note what a letter is said to be; `x = 350 - 150` is still to be worked out."""
        root = root_of(equation)
        worked_out = not {"+", "-", "*"} & {*operations_of(claim.left), *operations_of(claim.right)}
        if root is not None and worked_out:
            self.solved[equation.letter] = root

    def _bound(self, claim: Claim) -> frozenset[str]:
        """The letters that it says something of; `y = 2x + 3` with a new y binds no x."""
        one, other = claim.left, claim.right
        for name, meaning in ((one, other), (other, one)):
            if isinstance(name, Name) and name.letter not in self.related | letters_of(meaning):
                return letters_of(name)
        return claim.letters

    def is_given(self, claim: Claim) -> bool:
        return _key(claim) in self.given

    def hear(self, text: str) -> None:
        """What the words of a step change; `Let x be …` gives a letter another meaning."""
        self.foreign = self.foreign or FOREIGN.search(text) is not None
        self.cases = self.cases or _CASES.search(text) is not None
        self.functions |= functions_in(text)
        self.equations = [e for e in self.equations if not _is_renamed(e.letter, text)]


def _is_renamed(letter: str, text: str) -> bool:
    """`Let x be …`, `the number of apples is x`: from here on it may mean something else."""
    named = rf"{_RENAMED} (?:\\\(\s?|\$|[\"'`*]+)?{letter}(?!\s?[-+*/=^(]|\w)"
    return re.search(rf"\b[Ll]et(?:'s say)? (?:\\\(\s?|\$)?{letter}\b|{named}", text) is not None


def _key(claim: Claim) -> object:
    try:
        sides = polynomial_of(claim.left), polynomial_of(claim.right)
    except Unreadable:
        return None
    return frozenset(frozenset(side.items()) for side in sides)


def _is_false(claim: Claim, outcome: Comparison, context: _Context) -> bool:
    """Whether it asserts an identity, and is none."""
    if not claim.is_firm or isinstance(claim.left, Name) or isinstance(claim.right, Name):
        return False
    if any(_is_same(other, claim.right) for other in claim.equality.others):
        return False
    if context.cases or letters_of(claim.left) != letters_of(claim.right):
        return False
    if (POSES | NO_SOLUTION) & claim.around:
        return False
    rewritten = bool(REWRITES & {*claim.before[-_NEAR:]})
    if outcome.never:
        plain = is_simplified(claim.left) and is_simplified(claim.right)
        plain = plain and not (_divides_sum(claim.left) or _divides_sum(claim.right))
        return rewritten or claim.relation_before or claim.relation_after or not plain
    if claim.letters & context.related and not (rewritten and _is_expansion(claim)):
        return False
    if not outcome.alike:
        return False
    if rewritten or claim.relation_before or claim.relation_after:
        return outcome.agreeing >= 1 and (
            outcome.differing <= 2 or has_product(claim.left) != has_product(claim.right)
        )
    if outcome.differing > 1 or not (outcome.shared or outcome.agreeing >= 2):
        return False
    return is_simplified(claim.right) and not is_simplified(claim.left)


def _divides_sum(expression: Expression) -> bool:
    """`(2x + 4)/2`, which may be meant to be worked out."""
    if not isinstance(expression, Apply):
        return False
    if expression.operation == "/" and {"+", "-"} & {*operations_of(expression.operands[0])}:
        return True
    return any(map(_divides_sum, expression.operands))


def _is_expansion(claim: Claim) -> bool:
    """`(x + 2)(x + 3) = x^2 + 5x + 5`, or such a sum factored."""
    return has_product(claim.left) != has_product(claim.right) and (
        is_simplified(claim.left) or is_simplified(claim.right)
    )


def _is_same(left: Expression, right: Expression) -> bool:
    outcome = compared(left, right)
    return outcome is not None and outcome.same


def _follows(claim: Claim, context: _Context, before: Equation) -> bool:
    """Whether it is drawn from the equation before it, and not tried, supposed or looked at."""
    if (
        context.cases
        or claim.heads
        or context.last not in claim.letters
        or claim.letters & {*context.solved}
    ):
        return False
    if (CONDITIONS | OTHERS) & {*claim.before} or (HYPOTHETICAL | PLACES) & {*claim.before[-3:]}:
        return False
    if isinstance(claim.left, Name) or isinstance(claim.right, Name):
        return not claim.equality.left.after_word or claim.before[-1] in LEADS_TO | SOLVES
    simpler = _size(claim.left, claim.right) < _size(before.left, before.right)
    return simpler or bool((REWRITES | DERIVES) & {*claim.before[-_NEAR:]})


def _size(*sides: Expression) -> int:
    return sum(1 for side in sides for _ in operations_of(side))


def _is_case(equation: Equation, before: Sequence[Equation]) -> bool:
    """`K - 9 = 1 … K - 9 = 2`: the same side with another value is another case."""
    sides = {equation.left, equation.right}
    return any({e.left, e.right} & {side for side in sides if letters_of(side)} for e in before)
