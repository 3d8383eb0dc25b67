"""Answers that have to be understood: math-verify, behind guards against what it gets wrong.

Runs in a worker process that can be killed. Only the LaTeX reader is used: the one for plain
expressions evaluates text.
"""

from __future__ import annotations

import re
from typing import Any, Literal

Found = Literal["right", "wrong", "unparsed"]

_DOTS = re.compile(r"\\[lcd]?dots|\.\.\.|…")
_BASE = re.compile(r"\d_\{?\d")
_APPROXIMATE = re.compile(r"\d\.\d{3,}")


def warm_up() -> None:
    """Pays for slow imports before the first deadline runs, and fails where they do."""
    understood(r"\frac{1}{2}+x", r"x+\frac{2}{4}")


def understood(answer: str, gold: str) -> Found:
    """Whether two expressions are the same; math-verify compares from the gold side."""
    if len(answer) > 2000 or _DOTS.search(answer) or _DOTS.search(gold):
        return "wrong"  # a row of numbers with dots is read as its first ones
    if _BASE.search(answer) or _BASE.search(gold):
        return "wrong"  # bases are dropped; equal spellings never come here
    mine, theirs = _equation_sides(answer), _equation_sides(gold)
    if len(mine) != len(theirs) and len(theirs) > 1:
        return "wrong"
    if len(mine) == len(theirs) == 2:  # an equation says both its sides
        sides = [_same(a, b) for a, b in zip(mine, theirs, strict=True)]
        crossed = [_same(a, b) for a, b in zip(mine, reversed(theirs), strict=True)]
        for pair in (sides, crossed):
            if pair == ["right", "right"]:
                return "right"
        return "wrong"
    if len(mine) > 1:
        answer = mine[-1] if re.fullmatch(r"\s*[a-zA-Z]\w{0,3}\s*", mine[0]) else answer
    return _same(answer, gold)


def _equation_sides(text: str) -> list[str]:
    return re.split(r"(?<![<>!\\=])=(?!=)", text)


def _same(answer: str, gold: str) -> Found:
    import logging

    from math_verify import verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # its advice on time-outs: ours kill
    theirs, mine = _parsed(gold), _parsed(answer)
    if not mine:
        return "unparsed"
    if not theirs:
        return "wrong"
    if _approximates(answer, mine) != _approximates(gold, theirs):
        return "wrong"  # a rounded number is not the exact one: 3.1415927 is not π
    same = verify(theirs, mine, timeout_seconds=None, raise_on_error=True)
    if not same and {_shape(mine[0]), _shape(theirs[0])} == {"relation", "set"}:
        same = verify(mine, theirs, timeout_seconds=None, raise_on_error=True)
    return "right" if same and not _surely_differ(mine[0], theirs[0]) else "wrong"


def _shape(parsed: Any) -> str:
    from sympy import Set
    from sympy.core.relational import Relational

    if isinstance(parsed, Relational):
        return "relation"
    return "set" if isinstance(parsed, Set) else "other"


def _surely_differ(mine: Any, theirs: Any) -> bool:
    """Exact numbers that are merely close: 1/2^99 is not 1/2^98."""
    from sympy import Expr, Float

    if not (isinstance(mine, Expr) and isinstance(theirs, Expr)):
        return False
    difference = mine - theirs
    if not difference.is_number or difference.has(Float):
        return False
    return difference.equals(0) is False


def _parsed(text: str) -> list[Any]:
    from math_verify import LatexExtractionConfig, parse

    found: list[Any] = parse(
        f"\\boxed{{{_latex(text)}}}",
        extraction_config=[LatexExtractionConfig(boxed_match_priority=0)],
        parsing_timeout=None,
        raise_on_error=True,
    )
    return found


def _latex(text: str) -> str:
    """Small repairs that the parser needs."""
    text = text.strip().strip("$")
    text = text.replace("√", "\\sqrt").replace("π", "\\pi ").replace("\\mathrm{e}", "e")
    text = re.sub(r"\bsqrt\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"\\sqrt\{?-1\}?", "i", text)
    return re.sub(r"(?<![\\a-zA-Z])pi\b", r"\\pi ", text)


def _approximates(text: str, parsed: list[Any]) -> bool:
    """Whether it is a number given to several decimals, where the other side may be exact."""
    return bool(_APPROXIMATE.fullmatch(text.strip().lstrip("-"))) and bool(parsed)
