"""Steps → whether the algebra they assert is right (GroundedPRM): rewriting, and solutions.

Two expressions with letters that a step claims equal are expanded or probed; a solution is
substituted back into the equations before it. An equation may be meant to be solved, so that it
does not hold in general says nothing: a step is wrong only where its two sides are equal for
nothing at all, where one is plainly the other rewritten, or where a solution solves none of them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from prmdata.records import Trace
from prmdata.settings import Count
from prmdata.verifiers.contract import FAILURES, Finding, attempted
from prmdata.verifiers.mathematics.claims import Claim, claims
from prmdata.verifiers.mathematics.expressions import Expression, Name, Unreadable
from prmdata.verifiers.mathematics.identities import Comparison, compared
from prmdata.verifiers.mathematics.letters import functions_in
from prmdata.verifiers.mathematics.polynomials import (
    has_product,
    is_simplified,
    letters_of,
    polynomial_of,
)
from prmdata.verifiers.mathematics.solving import Equation, is_posed, precision, root_of
from prmdata.verifiers.mathematics.vocabulary import (
    CONDITIONS,
    FOREIGN,
    HYPOTHETICAL,
    LEADS_TO,
    NO_SOLUTION,
    PLACES,
    POSES,
    REWRITES,
    SOLVES,
)

_CONSTANTS = frozenset("ei")
"""They may stand for Euler's number and for √-1."""
_CASES = re.compile(r"\b(?:[Cc]ases?|[Ee]ither|[Oo]therwise|[Aa]lternatively)\b|\\pm\b|±")
_MOST_EQUATIONS = 40


@dataclass(frozen=True, slots=True)
class Algebra:
    """Checks rewritten expressions and solutions of equations."""

    longest: Count = 8000
    """Characters of the longest step that is read; longer ones are unknown."""
    solutions: bool = True
    """Whether solutions are substituted back into the equations before them."""

    async def verify(self, trace: Trace) -> list[Finding]:
        return self.check(trace.problem.question, [step.text for step in trace.steps])

    def check(self, question: str, steps: Sequence[str]) -> list[Finding]:
        """One finding a step; the equations of the problem and of earlier steps are known."""
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
        if outcome is not None and _is_false(claim, outcome) and not context.is_given(claim):
            return Finding("wrong", f"{claim.words}: {outcome.expected}")
        found = self._solved(claim, context) if self.solutions else None
        context.pose(claim)
        return found or Finding("unknown")

    def _solved(self, claim: Claim, context: _Context) -> Finding | None:
        """Whether what it says of its unknown solves an equation before it."""
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
        if not holds or None in holds or not claim.is_firm or not _follows(claim, context.cases):
            return None
        if any(e.holds(root) is not False for e in before):
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
    given: set[object] = field(default_factory=set)
    """What stands as an equation in the problem, or was let pass as one."""

    def pose(self, claim: Claim, given: bool = False) -> None:
        if key := _key(claim):
            self.given.add(key)
        equation = claim.equation
        if equation is None or not claim.stands_alone or not is_posed(equation):
            return
        doubtful = not (claim.is_firm or given) or claim.equality.near
        others = [replace(equation, left=o, doubtful=True) for o in claim.equality.others]
        posed = [*self.equations, *others, replace(equation, doubtful=doubtful)]
        self.equations = posed[-_MOST_EQUATIONS:]

    def is_given(self, claim: Claim) -> bool:
        return _key(claim) in self.given

    def hear(self, text: str) -> None:
        """What the words of a step change; `Let x be …` gives a letter another meaning."""
        self.foreign = self.foreign or FOREIGN.search(text) is not None
        self.cases = self.cases or _CASES.search(text) is not None
        self.functions |= functions_in(text)
        self.equations = [e for e in self.equations if not _is_let(e.letter, text)]


def _is_let(letter: str, text: str) -> bool:
    return re.search(rf"\b[Ll]et \$?{letter}\b", text) is not None


def _key(claim: Claim) -> object:
    try:
        sides = polynomial_of(claim.left), polynomial_of(claim.right)
    except Unreadable:
        return None
    return frozenset(frozenset(side.items()) for side in sides)


def _is_false(claim: Claim, outcome: Comparison) -> bool:
    """Whether it asserts an identity, and is none."""
    if not claim.is_firm or isinstance(claim.left, Name) or isinstance(claim.right, Name):
        return False
    if any(_is_same(other, claim.right) for other in claim.equality.others):
        return False
    if outcome.never:
        return not NO_SOLUTION & claim.around
    if not outcome.alike or POSES & {*claim.before}:
        return False
    if letters_of(claim.left) != letters_of(claim.right):
        return False
    if REWRITES & {*claim.before} or claim.follows or claim.continues:
        return outcome.agreeing >= 1 and (
            outcome.differing <= 2 or has_product(claim.left) != has_product(claim.right)
        )
    if outcome.differing > 1 or not (outcome.shared or outcome.agreeing >= 2):
        return False
    return is_simplified(claim.left) != is_simplified(claim.right)


def _is_same(left: Expression, right: Expression) -> bool:
    outcome = compared(left, right)
    return outcome is not None and outcome.same


def _follows(claim: Claim, cases: bool) -> bool:
    """Whether a solution is said to follow, not to be tried or looked at."""
    if CONDITIONS & {*claim.before} or (HYPOTHETICAL | PLACES) & {*claim.before[-3:]}:
        return False
    if not isinstance(claim.left, Name):
        return not cases
    return not claim.equality.left.told or claim.before[-1] in LEADS_TO | SOLVES
