"""The algebra verifier against tables of cases, drawn polynomials, sympy, and hostile text."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prmdata.settings import configured, documented
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.contract import Finding
from prmdata.verifiers.mathematics.letters import letter_tokens
from prmdata.verifiers.mathematics.parsing import parse
from prmdata.verifiers.mathematics.polynomials import polynomial_of
from tests.verifiers.boxed import checked, trace_of


def verdict(*steps: str, question: str = "", **chosen: object) -> str:
    return Algebra(**chosen).check(question, steps)[-1].verdict


REWRITTEN = [
    ("2(x+3) = 2x + 6", "2(x+3) = 2x + 5"),
    ("So 2(x + 3) = 2x + 6.", "So 2(x + 3) = 2x + 3."),
    ("V + 2V = 3V", "V + 2V = 4V"),
    ("$(a+b)^2 = a^2 + 2ab + b^2$", "$(a+b)^2 = a^2 + b^2$"),
    ("$(a+b)^2 = a^2 + 2ab + b^2$", "$(a+b)^2 = a^2 + ab + b^2$"),
    ("(x+1)^2 = x^2+2x+1", "(x+1)^2 = x^2+1"),
    ("(x+y)(x-y) = x^2 - y^2 and so on", "(x+y)(x-y) = x^2 - 2y^2 and so on"),
    ("Factoring gives $x^2+5x+6 = (x+2)(x+3)$.", "Factoring gives $x^2+5x+6 = (x+2)(x+4)$."),
    ("We expand: $(x-1)(x+2)(x+3) = x^3+4x^2+x-6$", "We expand: $(x-1)(x+2)(x+3) = x^3+6x^2+x-6$"),
    (r"$\frac{2x+4}{2} = x+2$", r"$\frac{2x+4}{2} = x+4$"),
    (r"$\frac{x^2-1}{x-1} = x+1$", r"$\frac{x^2-1}{x-1} = x-1$"),
    (r"$\frac{x}{2} + \frac{x}{3} = \frac{5x}{6}$", r"$\frac{x}{2} + \frac{x}{3} = \frac{2x}{5}$"),
    (r"$1 - \frac{1}{n+1} = \frac{n}{n+1}$", r"$2 - \frac{1}{n+1} = \frac{n}{n+1}$"),
    (r"$2^n \cdot 2 + 1 = 2^{n+1} + 1$", r"$2^n \cdot 2 + 1 = 2^{n+1} + 2$"),
    (r"$\sqrt{4x} + 1 = 2\sqrt{x} + 1$", r"$\sqrt{4x} + 1 = 2\sqrt{x} + 2$"),
    (r"$2\pi r + \pi r = 3\pi r$", r"$2\pi r + \pi r = 4\pi r$"),
    ("The sum is (k-1) + k + (k+1) = 3k.", "The sum is (k-1) + k + (k+1) = 6k."),
    ("$f(x) = (x+1)^2 = x^2+2x+1$", "$f(x) = (x+1)^2 = x^2+3x+3$"),
    ("so (x-y)^2 = x^2-2xy+y^2", "so (x-y)^2 = x^2-xy+y^2"),
    ("$A = x(10-x) = 10x - x^2$", "$A = x(10-x) = 10x + x^2$"),
    ("\\begin{align*}\ny &= 2(x+1)+3 \\\\\n&= 2x+5\n\\end{align*}",
     "\\begin{align*}\ny &= 2(x+1)+3 \\\\\n&= 2x+6\n\\end{align*}"),
]  # fmt: skip


@pytest.mark.parametrize(("true", "false"), REWRITTEN)
def test_reads_what_is_rewritten(true: str, false: str) -> None:
    assert verdict(true) == "right"
    assert verdict(false) == "wrong"


SOLVED = [
    ("3x + 5 = 20", "so x = 5", "so x = 4"),
    ("3x + 5 = 20", "Subtracting 5 gives 3x = 15.", "Subtracting 5 gives 3x = 16."),
    ("$20 = 3x + 5$", "Therefore $x = 5$.", "Therefore $x = 6$."),
    ("$x^2 - 5x + 6 = 0$", "$x = 2$", "$x = 4$"),
    ("$x^2 - 5x + 6 = 0$", "$x - 3 = 0$", "$x - 4 = 0$"),
    (r"$\frac{x+1}{2} = 4$", r"thus $x = \boxed{7}$", r"thus $x = \boxed{8}$"),
    ("2x + 3 = x + 5", "which we can solve to obtain x = 2", "which we can solve to obtain x = 3"),
    ("4n = 2", "n = 0.5", "n = 0.8"),
    ("5y = 3", r"$y = \frac{3}{5}$", r"$y = \frac{5}{3}$"),
]


@pytest.mark.parametrize(("equation", "true", "false"), SOLVED)
def test_solutions_are_substituted_back(equation: str, true: str, false: str) -> None:
    assert verdict(equation, true) == verdict(true, question=equation) == "right"
    assert verdict(equation, false) == verdict(false, question=equation) == "wrong"
    assert verdict(equation, false, solutions=False) == "unknown"


TRAPS = {
    "equation": "2x + 3 = x + 5",
    "equation without a letter on one side": "3x + 5 = 20",
    "equation with a product": "(x+2)^2 = x^2 + 6x",
    "equation of factors": "$(x-1)(x+2) = 3x + 1$",
    "equation of equal products": "2(x+3) = 3(x+2)",
    "definition": "y = 2x + 3 and A = lw and $s = a + b + c$",
    "iteration": "x = x + 1",
    "constraint": "$x + y = 10$ and $x - y = y + 2$",
    "law": "$a^2 + b^2 = c^2$",
    "function": "f(x+1) = f(x) + 2",
    "function of another letter": "s(2) = 5 and s(t+1) = s(t) + 2",
    "index": "$a_{n+1} = a_n + 3$",
    "complex": "$(1+i)^2 = 2i$",
    "e": "$e(x+1) = ex + 3$",
    "modulus": r"$2(x+3) \equiv 2x + 1 \pmod 5$, so 2x + 6 = 2x + 1",
    "no solution": "That gives 2x + 3 = 2x + 5, which is impossible.",
    "no solution said after": "Then $2x + 3 = 2x + 5$, so there is no solution.",
    "supposition": "Suppose $2(x+1) = 2x + 3$.",
    "question": "Is 2(x+1) = 2x + 3?",
    "denied": "2(x+1) is not 2x + 1: 2(x+1) = 2x + 1 is wrong.",
    "sides": "We set the sides equal: $x^2 + 2x + 1 = x^2 + 3x$",
    "sides of a product": "Set the two sides equal: $(x+1)^2 = x^2 + 3x + 1$",
    "where two curves meet": "$y = 2(x+1) = x^2 + 2$",
    "percent": "x + 20% = 1.2x",
    "letters of a figure": "AB = 2 CD and $AC + CB = AD + DB$",
    "set equal to zero": "$x^2 + 5x + 6 = (x+2)(x+3) = 0$",
    "heading": "Step 2 - x + 3 = x + 3",
    "absolute value": "$|x - 4| = 4 - x$",
    "substitution": "$x^2 + y^2 = (x+y)^2 - 2xy = 25 - 2xy$",
    "sum of Vieta": "$r + s = 5$ and $rs = 6$, so $r^2 + s^2 = (r+s)^2 - 2rs = 13$",
    "another letter": "$x^2 + (4-k)x + 4 = (x-2)^2$",
}


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_leaves_equations_and_traps(text: str) -> None:
    assert verdict(text) != "wrong"
    assert verdict("First, x is a number.", text) != "wrong"


SOLVING_TRAPS = {
    "one of several": ["$x^2 = 9$", "x = 3 or x = -3"],
    "cases": ["Case 1: 2x - 1 = 5", "x = 3", "Case 2: 2x - 1 = -5", "x = -2"],
    "either": ["either x - 4 = 12 or x - 4 = -12"],
    "cases said before": ["There are two cases.", "2x - 1 = 5", "2x - 1 = -5"],
    "tried": ["3x + 5 = 20", "For x = 4 the left side is 17"],
    "condition": ["3x + 5 = 20", "If x = 4, the left side is 17"],
    "conditional equation": ["If x > 3, then 3 - x = 6", "x^2 = 9", "x = -3"],
    "another meaning": ["3x + 5 = 20", "Let x be the number of eggs.", "So x = 7"],
    "place": ["$x^2 - 2x - 3 = 0$", "The axis of symmetry is at $x = 1$."],
    "rounded": ["3x = 10", "x = 3.33"],
    "near": ["3x = 10", "x ≈ 3"],
    "two unknowns": ["x + y = 10", "x = 4"],
    "other unknown": ["2x = 10", "y = 4"],
    "division by zero": [r"$\frac{1}{x} = 2$", "$x = 0$"],
    "minutes": ["60x = 30", "x = 30 minutes"],
    "dash": ["Part 2 - 5x = 10", "x = 2"],
    "modulus": ["We work modulo 7: 3x = 1", "x = 5"],
}


@pytest.mark.parametrize("steps", SOLVING_TRAPS.values(), ids=SOLVING_TRAPS)
def test_leaves_what_need_not_solve_it(steps: list[str]) -> None:
    assert "wrong" not in {finding.verdict for finding in Algebra().check("", steps)}


def test_what_a_problem_supposes_is_given() -> None:
    assert verdict("x = 4", question="If 3x + 5 = 20, what is x?") == "wrong"
    assert verdict("If 3x + 5 = 20, this is hard.", "x = 4") == "unknown"


def test_an_equation_of_the_problem_is_given() -> None:
    assert verdict("$2(x+3) = 3x + 6$", question="Solve $2(x+3) = 3x + 6$.") == "unknown"
    assert verdict("$2(x+3) = 3x + 6$") == "wrong"


def test_what_a_later_step_says_changes_no_verdict() -> None:
    steps = ["$s(t+2) = ts + 2s$", "$s(3) = 4$", "so"]
    whole = Algebra().check("", steps)
    assert [Algebra().check("", steps[: n + 1])[-1] for n in range(3)] == whole
    assert whole[0].verdict == "right"


@pytest.mark.parametrize(
    ("steps", "note"),
    [
        (["(x+1)^2 = x^2+3x+1"], "(x+1)^2 = x^2+3x+1: x^2 + 2x + 1 is not x^2 + 3x + 1"),
        (["3x+5=20", "so x = 4"], "x = 4: 3x+5=20 becomes 17 = 20"),
        (["$a(b - a)/2 + b = (ab-a^2)/2 + b + 1$"],
         "a(b - a)/2 + b = (ab-a^2)/2 + b + 1: "
         "-(1/2)a^2 + (1/2)ab + b is not -(1/2)a^2 + (1/2)ab + b + 1"),
    ],
)  # fmt: skip
def test_note_tells_what_was_expected(steps: list[str], note: str) -> None:
    assert Algebra().check("", steps)[-1] == Finding("wrong", note)


def test_it_is_evidence_of_a_trace() -> None:
    (evidence,) = checked("algebra", trace_of("3x + 5 = 20", "x = 5", "2(x+1) = 2x + 3"))
    assert evidence.kind == "verdicts"
    assert evidence.verdicts == ("unknown", "right", "wrong")
    assert evidence.settings == {"longest": 8000, "solutions": True}


def test_settings_are_fields_of_the_dataclass() -> None:
    assert configured(Algebra, {"solutions": "false"}).solutions is False
    assert {setting.name for setting in documented(Algebra)} == set(Algebra.__slots__)


factors = st.tuples(st.integers(1, 9), st.sampled_from("xyz"), st.integers(-9, 9)).map(
    lambda drawn: "({}{} {} {})".format(*drawn[:2], "-" if drawn[2] < 0 else "+", abs(drawn[2]))
)
products = st.lists(factors, min_size=2, max_size=3).map("".join)


def expanded(text: str) -> str:
    """By another library."""
    import sympy
    from sympy.parsing.sympy_parser import (
        implicit_multiplication,
        parse_expr,
        standard_transformations,
    )

    known = (*standard_transformations, implicit_multiplication)
    return str(sympy.expand(parse_expr(text, transformations=known)))


@given(products)
@settings(max_examples=60, deadline=None)
def test_expands_as_sympy_does(text: str) -> None:
    assert verdict(f"${text} = {expanded(text).replace('**', '^')}$") == "right"


@given(products, st.integers(1, 50), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_wrong_constant_is_never_right(text: str, off: int, more: bool) -> None:
    claim = f"{text} = {expanded(text).replace('**', '^')} {'+' if more else '-'} {off}"
    assert verdict(f"${claim}$") == "wrong"
    assert verdict(f"Now {claim}.") != "right"


@given(st.integers(1, 99), st.integers(-99, 99), st.integers(-20, 20), st.integers(-20, 20))
@settings(max_examples=100, deadline=None)
def test_linear_equations_are_solved(factor: int, plus: int, root: int, other: int) -> None:
    assume(other != root)
    sign = "-" if plus < 0 else "+"
    posed = f"${factor}x {sign} {abs(plus)} = {factor * root + plus}$"
    assert verdict(f"We have {posed}.", f"So $x = {root}$.") == "right"
    assert verdict(f"We have {posed}.", f"So $x = {other}$.") == "wrong"


def test_polynomials_are_exact() -> None:
    _, tokens = letter_tokens("(x/3 + 1/7)^2", frozenset())
    made = polynomial_of(parse(tokens, 0, len(tokens)).expression)
    assert made == {
        (("x", 2),): Fraction(1, 9),
        (("x", 1),): Fraction(2, 21),
        (): Fraction(1, 49),
    }


@given(st.text(alphabet="0123456789+-*/^=()[]{}$\\.,:;!?%_&<> \nxyabfrcsqtandletw≈√", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_a_finding(text: str) -> None:
    assert len(Algebra().check(text, [text])) == 1


HOSTILE = {
    "powers of sums": "(x^2+x+1)^15 = (x+y+z)^15\n" * 250,
    "wide powers": "(x+1/7)^24 = (x+1/11)^{24}\n" * 290,
    "many letters": "(a+b+c+d)^7(e+f)^3 = 3\n" * 300,
    "chains of powers": "(x+1)^20 = (x-1)^20 = " * 300,
    "sums of fractions": "+".join(f"1/(x+{i})" for i in range(60)) + " = x",
    "two sums of fractions": (r"\frac{1}{x+1}+" * 40 + "x = " + r"\frac{1}{y+1}+" * 40 + "y\n") * 6,
    "nested powers": "(((((x+1)^9+1)^9+1)^9+1)^9 = x\n" * 200,
    "towers": "x^x^x^x = 2x",
    "large exponents": "x^{999999999} = x^{99999999} + x",
    "negative powers": "(x+y)^{-3} = (x+1)^{99999}\n" * 200,
    "factorials": "x! + (x+1)! = x!!!!!! + 99999!\n" * 200,
    "solutions": "x = 1, " * 1100,
    "equations": "2x + 1 = 5, " * 660,
    "brackets": "(" * 7000 + "x = 3",
    "fractions": r"\frac{x}{" * 880 + " = x",
    "roots": r"\sqrt{" * 1100 + "x" + "}" * 1100 + " = x",
    "letters": "a" * 7900 + " = 2x",
    "terms": "+".join(["x"] * 140) + " = " + "+".join(["y"] * 140),
    "too long": "x + 1 = x + 2 " * 100_000,
    "code": "__import__('os').system('true') = 3x",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    start = time.process_time()
    question = "x^2 = 2x + 1 and 3y = 2y + 1. " * 100
    assert len(Algebra().check(question, ["We have 3x + 1 = 7.", text[:7990]])) == 2
    assert len(Algebra().check(text, [text])) == 1
    assert time.process_time() - start < 8
