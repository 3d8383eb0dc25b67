"""Tokens → an expression tree, by recursive descent over plain and LaTeX arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from prmdata.verifiers.mathematics.brackets import DEEPEST
from prmdata.verifiers.mathematics.expressions import Apply, Expression, Name, Number, Unreadable
from prmdata.verifiers.mathematics.tokens import Token
from prmdata.verifiers.mathematics.vocabulary import ENDS_UNITS, SCALES, unit_name

_MOST_UNITS = 7
_UNIT_LETTERS = frozenset("mgslhL")
_MOST_TAKEN = 300
"""Tokens of the longest expression: its tree is at most as deep."""


class Parsed(NamedTuple):
    expression: Expression
    end: int
    """Index of the first token after it."""
    units: frozenset[str]
    doubtful: bool
    """It was read in one of two possible ways."""


def parse(tokens: Sequence[Token], start: int, end: int) -> Parsed:
    """The longest expression that starts at `start`."""
    parser = _Parser(tokens, end)
    parser.at = start
    expression = parser.sum(0)
    return Parsed(expression, parser.at, frozenset(parser.units), parser.doubtful)


_STARTS = frozenset(("number", "name", "open", "fraction", "root", "binomial", "pi", "money"))


class _Parser:
    def __init__(self, tokens: Sequence[Token], end: int) -> None:
        self.tokens = tokens
        self.at = 0
        self.taken = 0
        self.end = end
        self.units: set[str] = set()
        self.doubtful = False

    def kind(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].kind if at < self.end else ""

    def operator(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].text if self.kind(ahead) == "operator" else ""

    def sum(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise Unreadable
        left = self.product(depth)
        while self.operator() in ("+", "-") and self._operand_follows():
            self.doubtful |= self._joins_mixed()
            operation = self._take().text
            left = Apply(operation, (left, self.product(depth)))
        return left

    def _joins_mixed(self) -> bool:
        """`2-1/2 inches`, which may be two and a half."""
        if [self.kind(ahead) for ahead in (-1, 1, 3)] != ["number"] * 3 or self.operator(2) != "/":
            return False
        whole, dash, above, slash, below = self.tokens[self.at - 1 : self.at + 4]
        tight = whole.end == dash.start and dash.end == above.start
        return tight and slash.end == below.start and above.value < below.value

    def product(self, depth: int) -> Expression:
        left = self.signed(depth)
        divided = False
        while True:
            if self.operator() in ("*", "/") and self._operand_follows():
                operation = self._take().text
                self.doubtful |= operation == "/" and divided
                divided = divided or operation == "/"
                left = Apply(operation, (left, self.signed(depth)))
            elif self._multiplies():
                left = self._implied(left, depth)
            else:
                return left

    def _implied(self, left: Expression, depth: int) -> Expression:
        """`2(3)`, `3x`, `2\\pi`, `20% of 50`; after a division it has two readings."""
        if self.kind() == "word":
            self.at += 1
        elif self._may_be_no_product():
            self.doubtful = True
        elif isinstance(left, Apply) and left.operation == "/":
            self.doubtful |= self.tokens[self.at - 1].kind != "close"
        return Apply("*", (left, self.power(depth)))

    def _may_be_no_product(self) -> bool:
        """`T(2)` may be a value of a function; in prose, `500g` a weight, `5 (4)` a remark."""
        token, before = self.tokens[self.at], self.tokens[self.at - 1]
        applied = [self.kind(ahead) for ahead in range(3)] == ["open", "number", "close"]
        if before.kind == "name" and applied:
            return True
        unit = before.kind == "number" and token.text in _UNIT_LETTERS
        return not token.math and (unit or self._spaced())

    def _spaced(self) -> bool:
        return self.tokens[self.at].start != self.tokens[self.at - 1].end

    def _multiplies(self) -> bool:
        """Whether what follows multiplies without a sign."""
        token = self.tokens[self.at] if self.at < self.end else None
        if token is None:
            return False
        before = self.tokens[self.at - 1]
        if token.kind == "word":
            part = before.kind == "percent" or self._after_fraction()
            return token.text.lower() == "of" and part and self.kind(1) in _STARTS
        return token.kind in ("open", "name", "fraction", "root", "pi", "binomial")

    def _after_fraction(self) -> bool:
        at = self.at
        return self.tokens[at - 1].text == "}" or (
            at >= 2 and self.tokens[at - 2].kind == "operator" and self.tokens[at - 2].text == "/"
        )

    def signed(self, depth: int) -> Expression:
        negative = False
        count = 0
        while self.operator() == "-":
            negative = not negative
            self.at += 1
            count += 1
        if count > 2:
            raise Unreadable
        inner = self.power(depth)
        if negative and isinstance(inner, Apply) and inner.operation == "^":
            self.doubtful = self.doubtful or not self.tokens[self.at - 1].math
        return Apply("negate", (inner,)) if negative else inner

    def power(self, depth: int) -> Expression:
        base = self._with_marks(self.atom(depth))
        if self.operator() == "^":
            self.at += 1
            if self.operator() == "-":
                self.at += 1
                exponent: Expression = Apply("negate", (self.atom(depth + 1),))
            else:
                exponent = self.atom(depth + 1)
            if self.operator() == "^":
                raise Unreadable
            base = Apply("^", (base, exponent))
        elif self.kind() == "superscript":
            base = Apply("^", (base, Number(self._take().value, 0)))
        base = self._with_marks(base)
        self._skip_units()
        return base

    def _with_marks(self, value: Expression) -> Expression:
        if self.kind() == "bang":
            self.at += 1
            value = Apply("factorial", (value,))
        if self.kind() == "percent":
            self.at += 1
            value = Apply("percent", (value,))
        if self.kind() == "money":
            self.units.add(unit_name(self._take().text))
        return value

    def atom(self, depth: int) -> Expression:
        if self.kind() == "money":
            self.units.add(unit_name(self._take().text))
            if self.operator() == "-" and self.kind(1) == "number":
                self.at += 1
                return Apply("negate", (self.atom(depth + 1),))
        kind = self.kind()
        if kind == "number":
            return self._number(depth)
        if kind == "name":
            return Name(self._take().text)
        if kind == "pi":
            self.at += 1
            return Apply("pi", ())
        if kind == "open":
            return self._group(depth)
        if kind in ("fraction", "binomial"):
            self.at += 1
            first, second = self._argument(depth), self._argument(depth)
            return Apply("/" if kind == "fraction" else "binomial", (first, second))
        if kind == "root":
            return self._root(depth)
        raise Unreadable

    def _number(self, depth: int) -> Expression:
        """A number; with a fraction after it, a mixed number."""
        token = self._take()
        number = Number(token.value, token.places)
        if token.places:
            return number
        if self.kind() == "fraction" and self._plain_fraction(2):
            return Apply("mixed", (number, self.atom(depth + 1)))
        if self.kind() == "number" and self.tokens[self.at].places == -1:
            return Apply("mixed", (number, self._number(depth + 1)))
        return self._written_mixed(number) or number

    def _plain_fraction(self, ahead: int) -> bool:
        """Whether `\\frac{digits}{digits}` stands here."""
        shape = [self.kind(at) for at in range(1, 7)]
        return shape == ["open", "number", "close"] * 2

    def _written_mixed(self, whole: Number) -> Expression | None:
        """`2 1/2`, where the fraction is less than one and written without spaces."""
        if not (self.kind() == self.kind(2) == "number" and self.operator(1) == "/"):
            return None
        above, slash, below = self.tokens[self.at : self.at + 3]
        tight = above.end == slash.start and slash.end == below.start
        if not tight or above.places or below.places or not above.value < below.value < 1000:
            return None
        self.at += 3
        return Apply("mixed", (whole, Number(above.value / below.value, -1)))

    def _group(self, depth: int) -> Expression:
        bracket = self._take().text
        inner = self.sum(depth + 1)
        if self.kind() != "close":
            raise Unreadable
        self.at += 1
        # [7/2] may be the greatest whole number in it
        self.doubtful |= bracket == "[" and isinstance(inner, Apply) and inner.operation == "/"
        return inner

    def _argument(self, depth: int) -> Expression:
        """What a LaTeX command takes: a group in braces, or one digit."""
        if self.kind() == "open":
            return self._group(depth)
        if self.kind() == "number" and len(self.tokens[self.at].text) == 1:
            return self._number_alone()
        raise Unreadable

    def _number_alone(self) -> Expression:
        token = self._take()
        return Number(token.value, token.places)

    def _root(self, depth: int) -> Expression:
        self.at += 1
        degree: Expression = Number(Fraction(2), 0)
        if self.kind() == "open" and self.tokens[self.at].text == "[":
            degree = self._group(depth)
        if self.kind() in ("open", "number"):
            inner = self._group(depth) if self.kind() == "open" else self._number_alone()
            return Apply("root", (inner, degree))
        raise Unreadable

    def _operand_follows(self) -> bool:
        following, after = self.kind(1), self.kind(2)
        return following in _STARTS or (self.operator(1) == "-" and after in _STARTS)

    def _skip_units(self) -> None:
        """Words after a number, where an operator, a bracket or the end follows them."""
        at = self.at
        while at < self.end and self._is_unit(at):
            at += 1
        words = [token.text.lower() for token in self.tokens[self.at : at] if token.kind == "word"]
        following = self.tokens[at].kind if at < self.end else ""
        if not words or len(words) > _MOST_UNITS or ENDS_UNITS.intersection(words):
            return
        if following in ("", "operator", "close"):
            # `1/4 of the oranges = …`: what it is a part of is not said
            self.doubtful |= words[0] == "of" and self._is_share()
            self.units.add(unit_name(words[0]))
            self.units.update(unit_name(word) for word in words[1:] if unit_name(word) in SCALES)
            self.at = at

    def _is_share(self) -> bool:
        """Whether a fraction or a percentage stands before."""
        before = self.tokens[self.at - 1]
        return self._after_fraction() or before.kind == "percent" or before.places != 0

    def _is_unit(self, at: int) -> bool:
        token = self.tokens[at]
        if token.kind == "operator" and token.text == "/":
            return at + 1 < self.end and self.tokens[at + 1].kind == "word"
        return token.kind == "word"

    def _take(self) -> Token:
        self.taken += 1
        if self.taken > _MOST_TAKEN:
            raise Unreadable
        self.at += 1
        return self.tokens[self.at - 1]
