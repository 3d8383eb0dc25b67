"""The arithmetic verifier against tables of cases, Python's own fractions, and hostile text."""

from __future__ import annotations

import random
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prmdata.settings import configured, documented
from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.arithmetic import Arithmetic, Finding
from prmdata.verifiers.contract import FAILED


def verdict(*steps: str, **chosen: object) -> str:
    return Arithmetic(**chosen).check(steps)[-1].verdict


READABLE = [
    ("48 / 2 = 24", "48 / 2 = 26"),
    ("5 x 3 = 15", "5 x 3 = 16"),
    ("12x12=144", "12x12=154"),
    ("3 × 4 ÷ 2 = 6", "3 × 4 ÷ 2 = 7"),
    ("3·4 = 12", "3·4 = 13"),
    ("7 − 10 = −3", "7 − 10 = 3"),
    ("(-3)(-4) = 12", "(-3)(-4) = -12"),
    ("3² + 4² = 25", "3² + 4² = 24"),
    ("2 ** 3 = 8", "2 ** 3 = 6"),
    ("2^10 = 1024", "2^10 = 1000"),
    ("√16 + 1 = 5", "√16 + 1 = 6"),
    ("sqrt(16) = 4", "sqrt(16) = 8"),
    ("5! = 120", "5! = 121"),
    ("So there are 5 + 3 = 8!", "So there are 5 + 3 = 9!"),
    ("1,200 + 300 = 1,500", "1,200 + 300 = 1,600"),
    (".8 * 400 fifth graders = 320", ".8 * 400 fifth graders = 330"),
    ("2 1/2 + 1 = 3.5", "2 1/2 + 1 = 4.5"),
    ("2½ + 1 = 3.5", "2½ + 1 = 4.5"),
    ("1/2 + 1/4 = 3/4", "1/2 + 1/4 = 2/6"),
    ("1/2 of 10 = 5", "1/2 of 10 = 6"),
    ("20% of 50 = 10", "20% of 50 = 12"),
    ("15% = 0.15", "15% = 0.51"),
    ("100% - 20% = 80%", "100% - 20% = 70%"),
    ("5 / 20 * 100 = 25%", "5 / 20 * 100 = 35%"),
    ("10/3 = 3.33", "10/3 = 3.34"),
    ("1/8 = 12.5%", "1/8 = 13.5%"),
    ("$5 * 3 apples = $15", "$5 * 3 apples = $16"),
    ("15 minutes/call * 30 calls/month = 450 minutes", "15 minutes/call * 30 calls = 440 minutes"),
    ("16 eggs - 3 eggs for breakfast = 13 eggs", "16 eggs - 3 eggs for breakfast = 12 eggs"),
    ("So she has 5 + 3 = 8 apples left.", "So she has 5 + 3 = 9 apples left."),
    ("Step 2: 5 + 3 = 8", "Step 2: 5 + 3 = 9"),
    ("1. 5 + 3 = 8", "1. 5 + 3 = 9"),
    ("**5 + 3 = 8**", "**5 + 3** = **9**"),
    ("5 + 3\n= 8", "5 + 3\n= 9"),
    ("all of them, 2 + 3 = 5 = 10 / 2", "all of them, 2 + 3 = 5 = 10 / 5"),
    ("48/2 = <<48/2=24>>24", "48/2 = <<48/2=25>>24"),
    ("48/2 = <<48/2=24>>24", "48/2 = <<48/2=24>>25"),
    ("if she eats 3, they need 3*20=60", "if she eats 3, they need 3*20=61"),
    (r"$\frac{1}{2} + \frac14 = \frac{3}{4}$", r"$\frac{1}{2} + \frac14 = \frac{3}{5}$"),
    (r"$3 \times 4 \div 2 = 6$", r"$3 \times 4 \div 2 = 7$"),
    (r"\[3 \cdot 4 = 12\]", r"\[3 \cdot 4 = 13\]"),
    (r"$\left( 2 + 3 \right)^{2} = 25$", r"$\left( 2 + 3 \right)^{2} = 26$"),
    (r"$\sqrt{50} = 5\sqrt{2}$", r"$\sqrt{50} = 5\sqrt{3}$"),
    (r"$\sqrt[3]{27} = 3$", r"$\sqrt[3]{27} = 9$"),
    (r"$2^{-1} = 0.5$", r"$2^{-1} = -2$"),
    (r"$\binom{5}{2} = 10$", r"$\binom{5}{2} = 20$"),
    (r"$2\pi \cdot 3 = 6\pi$", r"$2\pi \cdot 3 = 5\pi$"),
    (r"$\$5 \cdot 2 = \$10$", r"$\$5 \cdot 2 = \$11$"),
    (r"$20\% \cdot 50 = 10$", r"$20\% \cdot 50 = 11$"),
    (r"$5\text{ cm} \cdot 2 = 10\text{ cm}$", r"$5\text{ cm} \cdot 2 = 11\text{ cm}$"),
    (r"$2(21\text{ inches})=\boxed{42}$ inches", r"$2(21\text{ inches})=\boxed{43}$ inches"),
    (r"$180^\circ - 30^\circ = 150^\circ$", r"$180^\circ - 30^\circ = 140^\circ$"),
    (r"$10{,}000 + 1 = 10{,}001$", r"$10{,}000 + 1 = 10{,}002$"),
    ("so $2+3$ = $5$", "so $2+3$ = $6$"),
    ("\\begin{align*}\n2 + 3 &= 1 + 4 \\\\\n&= 5\n\\end{align*}",
     "\\begin{align*}\n2 + 3 &= 1 + 4 \\\\\n&= 6\n\\end{align*}"),
]  # fmt: skip


@pytest.mark.parametrize(("true", "false"), READABLE)
def test_reads(true: str, false: str) -> None:
    assert verdict(true) == "right"
    assert verdict(false) == "wrong"


TRAPS = {
    "unknown": "2x + 3 = 7",
    "unknown in LaTeX": "$2x + 3 = 7$ and $ab + 5 = 3$",
    "name of letters": "$AB + 5 = 3$",
    "modulus": "7 ≡ 2 (mod 5), so 4 + 3 = 2",
    "modulus in LaTeX": r"$4 + 3 = 2 \pmod{5}$",
    "base": "$10_2 + 1 = 3$",
    "base in words": "In base 5, 4 + 3 = 12",
    "function": "f(2) = 3, f(x) = 5 and f(1) + 2 = 9",
    "index": "$x_1 + 2 = 5$",
    "point": "(2, 3) = 5 and (1, 2) + 3 = 4",
    "interval": "[2, 3) = 4",
    "matrix": r"$\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} = 5$",
    "inequality": "1 < 2 + 2 = 5 < 7",
    "ratio": "3:4 = 6:8 and 2 : 3 = 5",
    "time": "7:30 + 2 = 9:30",
    "date": "3/4/2020 = 5",
    "hours in minutes": "2 hours = 120 minutes",
    "hours and minutes": "2 hours + 30 minutes = 150 minutes",
    "feet in inches": "5 feet = 60 inches",
    "dollars and cents": "50 cents * 4 = $2 and $5 - 50 cents = $4.50 and 3 cents * 2 = $7",
    "dozens": "2 dozen = 24 eggs",
    "pieces of a whole": "3 boxes * 2 = 72 pencils",
    "means": "Monday = 5 and 1 = Tuesday and 5 = 3",
    "means with words": "4 students drank 1.5 quarts = 4 * 1.5",
    "cut before by a number": "three + 5 = 9",
    "cut before by half": "half of 10 + 2 = 7",
    "cut before by and": "the sum of 5 and 3 * 2 = 11",
    "cut before by times": "4 times 3 + 2 = 14",
    "cut after by times": "15 + 15 = 5 times 6",
    "cut after by remainder": "17 / 5 = 3 remainder 2",
    "cut after by scale": "2 * 3 = 60 hundred",
    "cut after by or": "2 + 3 = 6 or 7",
    "such that": "a number x such that x + 5 = 3",
    "rounded to a whole": "10 / 4 = 2, rounded down",
    "cut short": "2/3 = 0.66",
    "rounded before": "33.33 * 3 = 100",
    "near": "99 * 51 ≈ 5000",
    "percent taken off": "50 - 20% = 40",
    "end of a list": "2, 4, 6 = 12 / 1",
    "dots": r"$1 + 2 + \cdots + 10 = 55$",
    "absolute value": "|3 - 5| = 2",
    "set": r"$\{1, 2\} = 3$",
    "implied multiplication after a division": "12 / 2(3) = 2",
    "two divisions": "1 1/2 / 1/2 = 3",
    "negative squared": "-2^2 = 4",
    "heading with a dash": "Part 2 - 5 + 3 = 8",
    "bullet": "- 5 + 3 = -2",
    "supposition": "Suppose 2 + 2 = 5. Then 4 = 5 and 2 + 1 = 5.",
    "condition": "if 2 + 2 = 5 then 1 + 1 = 3",
    "denial": "It is not true that 2 + 2 = 5",
    "inequation": r"$2 + 2 \ne 5$ and 2 + 2 != 5 and 2 + 2 ≠ 5",
    "question": "Is 2 + 2 = 5?",
    "contradiction": "We get 2 + 2 = 5, a contradiction.",
    "taken back": "So 2 + 2 = 5. Wait, that is wrong.",
    "repeating decimal": r"$279/99999 = 0.\overline{00279}$",
    "subscripted sum": r"$\sum_{k=1}^{3} 2 = 6$",
    "sine": r"$\sin 30 + 1 = 1.5$",
    "two money amounts": "It costs $5 and $3 more.",
    "drawing": "[asy] draw((0,0)); a = 2 + 3 = 6; [/asy]",
    "code": "```\nx = 2 + 3 = 7\n```",
    "division by zero": "5 / 0 = 3",
    "ordinal": "the 2nd 5 + 3 = 9",
    "no equality": "She has 5 apples.",
    "nothing": "",
    "powers out of bounds": "9**9**9 = 3 and 9^999999999 = 3 and 99999^99999 = 3 and 99999! = 3",
}  # fmt: skip


@pytest.mark.parametrize("text", TRAPS.values(), ids=TRAPS)
def test_leaves_traps_unknown(text: str) -> None:
    assert verdict(text) in ("unknown", "right")
    assert "wrong" not in {f.verdict for f in Arithmetic().check(["First.", text])}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["x = 5", "x + 2 = 8"], "wrong"),
        (["So $x = 10 / 2 = 5$.", "$3x = 15$"], "right"),
        (["x = 5", "x = 6", "x + 2 = 8"], "unknown"),
        (["x = 5 or 6", "x + 2 = 9"], "unknown"),
        (["for x = 5 it holds", "x + 2 = 9"], "unknown"),
        (["if x = 5, it holds", "x + 2 = 9"], "unknown"),
        (["2x + 1 = 9", "x = 5", "x + 2 = 8"], "unknown"),
        (["x = 5, 6", "x + 2 = 9"], "unknown"),
        (["i = 5", "i + 2 = 9"], "unknown"),
    ],
)
def test_knows_what_earlier_steps_define(steps: list[str], expected: str) -> None:
    assert verdict(*steps) == expected


def test_definitions_can_be_switched_off() -> None:
    assert verdict("x = 5", "x + 2 = 8", definitions=False) == "unknown"


def test_a_modulus_stays_for_the_steps_after_it() -> None:
    assert verdict("We work modulo 5.", "4 + 3 = 2") == "unknown"
    assert verdict("4 + 3 = 2") == "wrong"


def test_quotients_may_be_rounded_where_allowed() -> None:
    assert verdict("7 / 2 = 3") == "wrong"
    assert verdict("7 / 2 = 3", whole_quotients=True) == "unknown"


def test_approximations_have_a_bound() -> None:
    assert verdict("99 * 51 ≈ 9000") == "wrong"
    assert verdict("99 * 51 ≈ 9000", loosest=0.9) == "unknown"
    assert verdict("10/3 ≈ 3.33") == "right"


def test_a_correction_is_judged_by_itself() -> None:
    assert verdict("Wait, that is wrong. Now Gus has 446 + 135 = 582 lemons.") == "wrong"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("So 48 / 2 = 26 are left.", "48 / 2 = 26: is 24"),
        ("24 = 5 * 5", "24 = 5 * 5: is 25"),
        ("10/3 = 3.34", "10/3 = 3.34: is 10/3"),
        ("1/4 + 1 = 2", "1/4 + 1 = 2: is 1.25"),
        ("2 - 3 = 1", "2 - 3 = 1: is -1"),
        (r"$\sqrt{2} + 1 = 5$", r"\sqrt{2} + 1 = 5: is about 2.41421"),
    ],
)
def test_note_tells_what_was_expected(text: str, note: str) -> None:
    assert Arithmetic().check([text]) == [Finding("wrong", note)]


def test_one_finding_a_step() -> None:
    findings = Arithmetic().check(["1 + 1 = 2", "so", "1 + 1 = 3 and 2 + 2 = 4"])
    assert [finding.verdict for finding in findings] == ["right", "unknown", "wrong"]


def test_settings_are_fields_of_the_dataclass() -> None:
    assert configured(Arithmetic, {"longest": "5"}).longest == 5
    assert {setting.name for setting in documented(Arithmetic)} == set(Arithmetic.__slots__)


numbers = st.integers(0, 400).map(lambda n: (str(n), Fraction(n))) | st.decimals(
    0, 99, places=2
).map(lambda d: (str(d), Fraction(str(d))))


def combined(children: st.SearchStrategy) -> st.SearchStrategy:
    def join(parts: tuple) -> tuple[str, Fraction]:
        (left, a), sign, (right, b) = parts
        value = {"+": a + b, "-": a - b, "*": a * b}.get(sign)
        if value is None:
            value = a / b if b else a
            return (f"({left}) / ({right})" if b else f"({left})"), value
        return f"({left}) {sign} ({right})", value

    return st.tuples(children, st.sampled_from("+-*/"), children).map(join)


expressions = st.recursive(numbers, combined, max_leaves=8).filter(lambda e: "(" in e[0])


@given(expressions)
@settings(max_examples=200, deadline=None)
def test_agrees_with_fractions(drawn: tuple[str, Fraction]) -> None:
    text, value = drawn
    shown = f"{value.numerator}/{value.denominator}"
    assert verdict(f"{text} = {shown}") == "right"
    assert verdict(f"We get ${text} = {shown}$.") == "right"


@given(expressions)
@settings(max_examples=200, deadline=None)
def test_wrong_results_are_never_right(drawn: tuple[str, Fraction]) -> None:
    text, value = drawn
    off = value + value.denominator + 7
    assert verdict(f"{text} = {off.numerator}/{off.denominator}") != "right"


@given(st.lists(st.integers(1, 999), min_size=2, max_size=6), st.integers(1, 50))
def test_wrong_sums_of_whole_numbers_are_wrong(terms: list[int], off: int) -> None:
    text = " + ".join(map(str, terms))
    assert verdict(f"Now there are {text} = {sum(terms)} of them.") == "right"
    assert verdict(f"Now there are {text} = {sum(terms) + off} of them.") == "wrong"


@given(st.text(alphabet="0123456789+-*/^=()[]{}$\\.,:;!?%_&<>| \nxabfrcsqtand≈≡√", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_a_finding(text: str) -> None:
    assert len(Arithmetic().check([text])) == 1


ODD = [
    "c^{2m} = c^{m^2}",
    "x = 10^{400} x + 1",
    "3x = 10^{300}, so x = 10^{500}",
    "1/10^{400} + x = x + 1/10^{401}",
    "10^{500} = 10^{501}",
    "0.5^{400} * x/x = 3^{700}",
    "0^{-1} = x",
    "25 m² = 25 cm²",
    "x^{x^2} = x^{2x}",
]


@pytest.mark.parametrize("text", ODD)
def test_numbers_of_any_size_can_be_told(text: str) -> None:
    """Each of them once ended in an OverflowError."""
    for finding in (*Arithmetic().check([text]), *Algebra().check("", [text])):
        assert not (finding.note or "").startswith(FAILED)


def test_a_check_that_fails_leaves_that_step_unknown_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Patched, because no text that is known makes a check fail."""

    def compare(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("prmdata.verifiers.arithmetic.compare", compare)
    found = Arithmetic().check(["2 + 2 = 4", "no equality"])
    assert [finding.verdict for finding in found] == ["unknown", "unknown"]
    assert [finding.note for finding in found] == [f"{FAILED}: OverflowError", None]


HOSTILE = {
    "powers": "9**9**9 = 3",
    "large exponent": "9^999999999 = 3",
    "large power": "99999^99999 = 3",
    "large factorial": "99999! = 3",
    "factorials": "5" + "!" * 7000 + " = 3",
    "digits": "1" * 7000 + " + 1 = 3",
    "groups of digits": "1" + ",234" * 1900 + "5 = 3",
    "brackets": "(" * 7000 + " = 3",
    "balanced brackets": "(" * 3000 + "1" + ")" * 3000 + " + 1 = 3",
    "braces": r"\frac{" * 1300 + " = 3",
    "roots": r"\sqrt{" * 1100 + "2" + "}" * 1100 + " = 3",
    "minus signs": "-" * 7000 + "5 = 3",
    "sums": "1+" * 3900 + "1 = 3",
    "fractions": "+".join(f"1/{n}" for n in range(2, 1200)) + " = 3",
    "equal signs": "=" * 7900,
    "spaced equal signs": "1 = " * 1900,
    "dollars": "$" * 7900 + "=",
    "spaced dollars": "$1 =" * 1900,
    "marks": "<<" * 3900 + "=",
    "texts": r"\text{" * 1200 + "=",
    "blocks": r"\begin{pmatrix}" * 500 + "=",
    "dots": "." * 7000 + " = 1",
    "spaces": "1 + 1" + " " * 7000 + "= 3",
    "words": "word " * 1500 + "= 3",
    "doubts": "if not " * 1100 + "1 + 1 = 3",
    "doubted equalities": "if 1 + 1 = 2, " * 550,
    "commas": "(1," * 2500 + "=",
    "units": "5 apples " * 880 + "= 3",
    "superscripts": "2" + "²" * 7000 + " = 3",
    "letters": "a" * 7900 + " = 3",
    "too long": "1 + 1 = 3 " * 100_000,
    "code": "__import__('os').system('true') = 3",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    start = time.process_time()
    assert len(Arithmetic().check([text])) == 1
    assert time.process_time() - start < 2


def test_checks_thousands_of_steps_a_second() -> None:
    """A tenth of what is wanted of a quiet core, so that a busy machine does not fail it."""
    chosen = random.Random(1)
    steps = [f"Now she has {n} + {n} = {2 * n} eggs." for n in chosen.choices(range(999), k=1000)]
    start = time.process_time()
    Arithmetic().check(steps)
    assert time.process_time() - start < 2
