"""Answers that have to be understood: math-verify, behind guards against what it gets wrong.

Runs in a worker process that can be killed. Only the LaTeX reader is used: the one for plain
expressions evaluates text. What holds an expression (a list, an interval, an equation with a name)
is taken apart by `exact`; only expressions and statements come to the parser.
"""

from __future__ import annotations

import re
from typing import Literal

from prmdata.grading.exact import compare
from prmdata.grading.spelling import LONGEST

Found = Literal["right", "wrong", "unparsed"]

_DOTS = re.compile(r"\\[lcdv]?dots|\.\.\.|…")
_BASE = re.compile(r"\d_\{?\d")
_APPROXIMATE = re.compile(r"-?\d*\.\d{3,}")
_RELATION = re.compile(r"<|>|\\(?:le|ge|ne|in|equiv|approx|sim|cong|to|mid|cup|cap)(?![a-zA-Z])")
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3,}")
_FUNCTIONS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "log",
        "exp",
        "sqrt",
        "arcsin",
        "arccos",
        "arctan",
        "max",
        "min",
    ]
)


def warm_up() -> None:
    """Pays for slow imports before the first deadline runs, and fails where they do."""
    understood(r"\frac{1}{2}+x", r"x+\frac{2}{4}")


def understood(answer: str, gold: str, ordered: bool = False) -> Found:
    """Whether the two are the same."""
    if len(answer) > LONGEST:
        return "wrong"
    same = compare(answer, gold, ordered=ordered, understand=_leaf)
    return "unparsed" if same is None else "right" if same else "wrong"


def _leaf(mine: str, theirs: str) -> bool | None:
    """Two texts without lists, spelled plainly."""
    if mine == theirs:
        return True
    if any(_DOTS.search(text) or _BASE.search(text) for text in (mine, theirs)):
        return False  # rows are read as their first numbers, and bases are dropped
    if "," in mine or "," in theirs:
        return False  # a tuple within an expression: the parser loses what stands around it
    if _words(mine) != _words(theirs):
        return False
    a, b = _sides(mine), _sides(theirs)
    if _RELATION.search(mine) or _RELATION.search(theirs):
        return len(a) == len(b) == 1 and _same(mine, theirs)
    if len(a) == len(b) == 2:
        return _same_equation(a, b)
    if len(a) > 1 and len(b) > 1:
        return False
    if len(b) > 1:  # the gold answer is an equation; its value alone does not say it
        return not _letters(b[0]) and _same(a[0], b[-1])
    if len(a) > 1:
        return (a[-1] != "0" or not _letters(a[0])) and _same(a[-1], b[0])
    return _same(a[0], b[0])


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)} - _FUNCTIONS


def _letters(text: str) -> bool:
    return bool(re.search(r"(?<![\\a-zA-Z])[a-zA-Z](?![a-zA-Z])", text))


def _sides(text: str) -> list[str]:
    return re.split(r"(?<![<>!\\=])=(?!=)", text)


def _same_equation(mine: list[str], theirs: list[str]) -> bool | None:
    """`y=2x+3` and `2x-y+3=0`: their differences are proportional."""
    from sympy import Expr, simplify

    crossed = [theirs, list(reversed(theirs))]
    if any(all(_same(a, b) for a, b in zip(mine, pair, strict=True)) for pair in crossed):
        return True
    differences = []
    for left, right in (mine, theirs):
        found = _parsed(f"({left})-({right})")
        if not found or not isinstance(found[0], Expr):
            return None
        differences.append(found[0])
    first, second = differences
    if first == 0 or second == 0 or first.free_symbols != second.free_symbols:
        return False
    ratio = simplify(first / second)
    return bool(ratio.is_number and ratio != 0)


def _same(answer: str, gold: str) -> bool | None:
    import logging

    from math_verify import verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # its advice on time-outs: ours kill
    theirs, mine = _parsed(gold), _parsed(answer)
    if not mine:
        return None
    if not theirs:
        return False
    if _approximates(answer) != _approximates(gold):
        return False  # a rounded number is not the exact one: 3.1415927 is not π
    same = verify(theirs, mine, timeout_seconds=None, raise_on_error=True)
    if not same and {_shape(mine[0]), _shape(theirs[0])} == {"relation", "set"}:
        same = verify(mine, theirs, timeout_seconds=None, raise_on_error=True)
    return bool(same) and not _surely_differ(mine[0], theirs[0])


def _shape(parsed: object) -> str:
    from sympy import Set
    from sympy.core.relational import Relational

    if isinstance(parsed, Relational):
        return "relation"
    return "set" if isinstance(parsed, Set) else "other"


def _surely_differ(mine: object, theirs: object) -> bool:
    """Exact numbers that are merely close, and letters that only one side has."""
    from sympy import Expr, Float

    if not (isinstance(mine, Expr) and isinstance(theirs, Expr)):
        return False
    difference = mine - theirs
    if difference.free_symbols and difference.expand() != 0 and difference.equals(0) is False:
        return True
    if not difference.is_number or difference.has(Float):
        return False
    return difference.equals(0) is False


def _parsed(text: str) -> list[object]:
    from math_verify import LatexExtractionConfig, parse

    latex = _latex(text)
    if not _RELATION.search(text) and "=" not in text:
        latex = f"({latex})"  # so that no letter at its end is taken for a unit
    found: list[object] = parse(
        f"\\boxed{{{latex}}}",
        extraction_config=[LatexExtractionConfig(boxed_match_priority=0)],
        parsing_timeout=None,
        raise_on_error=True,
    )
    return found


def _latex(text: str) -> str:
    """Small repairs that the parser needs."""
    text = text.replace("*", "\\cdot ").replace("²", "^2")
    text = re.sub(r"\\sqrt\{?-1\}?", "i", text)
    text = re.sub(r"(?<![a-zA-Z\\])e\^", "e^", text)
    text = re.sub(r"(?<![\d.}])(\d+)/(\d+)(?=[a-zA-Z\\(])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"(\\[a-zA-Z]+\s)|\s", lambda m: m[1] or "", text)  # `2 ab`: not a unit
    return re.sub(r"(?<![\\a-zA-Z])(sin|cos|tan|log|ln|exp)(?![a-zA-Z])", r"\\\1 ", text)


def _approximates(text: str) -> bool:
    """Whether it is a number given to several decimals, where the other side may be exact."""
    return bool(_APPROXIMATE.fullmatch(text.strip()))
