"""Checks the arithmetic that steps assert, calculator marks of GSM8K included (GroundedPRM).

Every equality between two readable sides is worked out exactly. A step is wrong only where an
equality is false in every reading. What may be meant otherwise (a unit conversion, a supposition,
a quotient of whole things, arithmetic modulo 5) is excused: it leaves the step unknown, and the
step is right only where nothing in it had to be excused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

from prmdata.records import Trace
from prmdata.settings import Amount, Count
from prmdata.verifiers.contract import Finding, attempted, prose_of
from prmdata.verifiers.mathematics.comparing import compare
from prmdata.verifiers.mathematics.equalities import Equality, equalities, words_of
from prmdata.verifiers.mathematics.expressions import Name, Unreadable, evaluate
from prmdata.verifiers.mathematics.tokens import Token, readable, tokens_of
from prmdata.verifiers.mathematics.vocabulary import FOREIGN, HYPOTHETICAL

_MARK = re.compile(r"<<([^<>\n]{1,300})>>")
_RELATION = re.compile(r"[=≈]|\\approx|\\ne")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Checks the equalities of each step by exact arithmetic."""

    longest: Count = 8000
    """Characters of the longest step to read; longer steps are unknown."""
    definitions: bool = True
    """Whether `x = 5` in one step gives `x` its value in later steps."""
    loosest: Amount = 0.25
    """Relative error that an approximation (≈, about, roughly) may have."""
    whole_quotients: bool = False
    """Whether to excuse `7 / 2 = 3` even where nothing says that it is rounded."""

    async def verify(self, trace: Trace) -> list[Finding]:
        return self.check(prose_of(trace))

    def check(self, steps: Sequence[str]) -> list[Finding]:
        """One finding per step; definitions hold for the steps after them."""
        context = _Context()
        return [attempted(partial(self._finding, text, context)) for text in steps]

    def _finding(self, text: str, context: _Context) -> Finding:
        context.foreign = context.foreign or FOREIGN.search(text[: self.longest]) is not None
        if len(text) > self.longest or not _RELATION.search(text):
            return Finding("unknown")
        outcomes: set[str] = set()
        for statement, doubtful in self._statements(text, context):
            for equality, words in _read(statement, context if self.definitions else None):
                known = context.values if self.definitions else {}
                compared = compare(equality, known, self.loosest, self.whole_quotients)
                if compared is None:
                    continue
                outcome = compared.outcome
                if outcome == "wrong" and not (doubtful or equality.doubtful):
                    return Finding("wrong", f"{words}: is {compared.expected}")
                outcomes.add("excused" if outcome == "wrong" else outcome)
        # What was excused may be an error: the rest of such a step does not make it right.
        return Finding("right" if outcomes == {"right"} else "unknown")

    def _statements(self, text: str, context: _Context) -> Iterator[tuple[str, bool]]:
        """Calculator marks, each alone, then the text without them."""
        for mark in _MARK.finditer(text):
            yield mark[1], False
        yield _MARK.sub("", text), context.foreign


@dataclass(slots=True)
class _Context:
    """What the steps so far have said."""

    values: dict[str, Fraction] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)
    """Names that stand for several things, or for something that was to be found."""
    foreign: bool = False
    """Numbers are not what they seem: another base, or a modulus."""

    def define(self, name: str, value: Fraction, asserted: bool) -> None:
        if name in self.spoilt:
            return
        if self.values.setdefault(name, value) != value or not asserted:
            self.spoil(name)

    def spoil(self, name: str) -> None:
        self.spoilt.add(name)
        self.values.pop(name, None)


def _read(text: str, context: _Context | None) -> list[tuple[Equality, str]]:
    """The equalities of a text, each with its words, and its definitions noted."""
    text = readable(text)
    tokens = tokens_of(text)
    found = list(equalities(tokens))
    if context is not None:
        _note_names(tokens, found, context)
    return [(equality, words_of(equality, text, tokens)) for equality in found]


_NEVER_DEFINED = frozenset("eidkKM")
"""They may stand for constants, a differential, thousands and millions."""


def _note_names(tokens: Sequence[Token], found: Sequence[Equality], context: _Context) -> None:
    """Definitions such as `x = 10 / 2 = 5` noted; a name met before its definition is spoilt."""
    chains = dict(_definitions(found))
    for at, token in enumerate(tokens):
        if token.kind != "name":
            continue
        chain = chains.get(at)
        if chain is not None:
            value = _settled_value(chain)
            if value is None or token.text in _NEVER_DEFINED:
                context.spoil(token.text)
            else:
                context.define(token.text, value, _is_asserted(tokens, chain))
        elif token.text not in context.values:
            context.spoil(token.text)


def _definitions(found: Sequence[Equality]) -> Iterator[tuple[int, list[Equality]]]:
    """Chains that begin with a name alone, each with the place of the name."""
    chain: list[Equality] = []
    for equality in found:
        if equality.first:
            chain = [equality]
            if isinstance(equality.left.parsed.expression, Name):
                yield equality.left.start, chain
        else:
            chain.append(equality)


def _settled_value(chain: Sequence[Equality]) -> Fraction | None:
    """What every side of a chain says, where they say the same."""
    try:
        values = {evaluate(e.right.parsed.expression, {}).number for e in chain}
    except Unreadable:
        return None
    return values.pop() if len(values) == 1 else None


def _is_asserted(tokens: Sequence[Token], chain: Sequence[Equality]) -> bool:
    """Whether it is said for good: not `for x = 5`, `x = 5 or 6`, `x = 5, 6`."""
    first, last = chain[0], chain[-1].right
    before = first.left.start - 1
    while before >= 0 and tokens[before].kind == "edge":
        before -= 1
    if before >= 0 and tokens[before].text.lower() in HYPOTHETICAL:
        return False
    after = [token.kind for token in tokens[last.parsed.end : last.parsed.end + 2]]
    listed = after == ["stop", "number"]
    return not (listed or last.may_be_part or any(e.doubtful or e.near for e in chain))
