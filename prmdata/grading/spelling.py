"""One spelling for answers that differ in typography alone; what brackets hold stays in them.

Nothing here changes what an answer says: `\\dfrac12` becomes `\\frac{1}{2}`, `1{,}000` becomes
`1000`, `\\left( 3,\\, 2\\right)` becomes `(3,2)`.
"""

from __future__ import annotations

import functools
import re

LONGEST = 2000
"""Longer answers are compared as they are."""

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ", "∗": "*",
        "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "π": "\\pi ", "∞": "\\infty ", "∪": "\\cup ",
        "°": "^\\circ ", "∈": "\\in ", "±": "\\pm ", "²": "^2", "³": "^3", "√": "\\sqrt ",
        "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}", "⅓": "\\frac{1}{3}",
        "⅔": "\\frac{2}{3}", "’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "θ": "\\theta ",
        "α": "\\alpha ", "β": "\\beta ", "∅": "\\emptyset ", "÷": "/",
    }
)  # fmt: skip
_WRAPPERS = (
    ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`"),
    ("\\displaystyle", ""), ("\\boxed{", "}"), ("\\text{", "}"), ("\\mathbf{", "}"),
)  # fmt: skip
_WORDS = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt)?|mathrm|mathbf|mathit|mathsf|operatorname|mbox|bf|rm)"
    r"\s{0,9}\{([^{}]*)\}"
)
_SPACING = re.compile(r"\\(?:[,;:!> ]|quad\b|qquad\b|displaystyle\b|hspace\{[^{}]*\})|~|&nbsp;")
_SIZES = re.compile(r"\\(?:left|right|[bB]ig{1,2}[lrm]?|limits)(?![a-zA-Z])\.?")
_NAMES = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\leq(?:slant)?(?![a-zA-Z])|<=|=<"), r"\\le "),
    (re.compile(r"\\geq(?:slant)?(?![a-zA-Z])|>="), r"\\ge "),
    (re.compile(r"\\neq(?![a-zA-Z])|!="), r"\\ne "),
    (re.compile(r"\\approx(?:eq)?(?![a-zA-Z])|≈"), "="),
    (re.compile(r"\\lt(?![a-zA-Z])"), "<"),
    (re.compile(r"\\gt(?![a-zA-Z])"), ">"),
    (re.compile(r"\\(?:cdot|times|ast)(?![a-zA-Z])"), "*"),
    (re.compile(r"\\lbrace(?![a-zA-Z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![a-zA-Z])"), r"\\}"),
    (re.compile(r"\\(?:langle)(?![a-zA-Z])"), "("),
    (re.compile(r"\\(?:rangle)(?![a-zA-Z])"), ")"),
    (re.compile(r"\\[lr]?vert(?![a-zA-Z])|\\\|"), "|"),
    (re.compile(r"\\(?:varnothing|empty)(?![a-zA-Z])"), r"\\emptyset"),
    (re.compile(r"\^\s?\{?\s?\\circ\s?\}?|\\degrees?(?![a-zA-Z])"), " degrees "),
    (re.compile(r"(?<=[\d}\s])per ?cents?(?![a-zA-Z])"), "%"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"(?<![\\a-zA-Z])infinity(?![a-zA-Z])"), r"\\infty "),
    (re.compile(r"(?<![\\a-zA-Z])(pi|sqrt)(?![a-zA-Z])"), r"\\\1 "),
)
_BARE_FRACTION = re.compile(r"\\frac\s{0,9}(\{[^{}]*\}|\w)\s{0,9}(\{[^{}]*\}|\w)(?!\w*\})")
_BARE_ROOT = re.compile(r"\\sqrt\s{0,9}(\w)")
_CALLED_ROOT = re.compile(r"\\sqrt\s{0,9}\(([^()]*)\)")
_SCRIPT = re.compile(r"([_^])(?:(\d+)|([a-zA-Z]))(?![\w}])")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d|,\d|\.\d+,)")
_THIN = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d,])")
_TIGHT = re.compile(r"\s*([-+*/=,;()\[\]<>^_{}|])\s*")

_RELATIONS = re.compile(r"\s*(\\(?:le|ge|ne|in|cup|cap|to|pm))(?![a-zA-Z])\s*")


@functools.lru_cache(maxsize=8192)
def plain(raw: str) -> str:
    """The same answer without its typography."""
    text = raw.strip()
    if len(text) > LONGEST:
        return text
    text = text.translate(_SIGNS)
    text = _unwrapped(text)
    text = _SIZES.sub("", text)
    text = re.sub(r"(?<=\d)(?:\{,\}|,\\!|\\,)\s?(?=\d{3})", ",", text)
    text = _WORDS.sub(r" \1 ", text)
    text = _SPACING.sub(" ", text)
    for pattern, name in _NAMES:
        text = pattern.sub(name, text)
    text = text.replace("\\$", "").replace("$", "").replace("\\ ", " ").rstrip(" .;,").lstrip("= ")
    text = re.sub(r"\s+", " ", text).strip()
    if not re.search(r"[(\[]|\\\{", text):
        text = _GROUPED.sub(lambda m: m[0].replace(",", ""), text)
    text = _THIN.sub(lambda m: m[0].replace(" ", ""), text)
    text = _BARE_FRACTION.sub(lambda m: "\\frac" + _braced(m[1]) + _braced(m[2]), text)
    text = _BARE_ROOT.sub(r"\\sqrt{\1}", _CALLED_ROOT.sub(r"\\sqrt{\1}", text))
    text = _SCRIPT.sub(lambda m: f"{m[1]}{{{m[2] or m[3]}}}", text)
    if text.startswith("{") and text.endswith("}") and _closed(text[1:-1]):
        text = f"\\{{{text[1:-1]}\\}}"
    return _tightened(text)


def _unwrapped(text: str) -> str:
    for _ in range(6):
        before = text
        for left, right in _WRAPPERS:
            inner = text[len(left) : len(text) - len(right)]
            if not text.startswith(left) or not text.endswith(right) or len(inner) == len(text):
                continue
            if len(text) > len(left + right) and left not in inner and _closed(inner):
                text = inner.strip()
        if text == before:
            break
    return text


def _closed(text: str) -> bool:
    depth = 0
    for mark in text:
        depth += (mark == "{") - (mark == "}")
        if depth < 0:
            return False
    return depth == 0


def _braced(part: str) -> str:
    return part if part.startswith("{") else f"{{{part}}}"


def _tightened(text: str) -> str:
    """Without the spaces that part nothing: those between words, and of `3 1/2`, stay."""
    text = _RELATIONS.sub(r"\1 ", _TIGHT.sub(r"\1", text))
    text = re.sub(r"(\\[a-zA-Z]+) (?![a-zA-Z])", r"\1", text)
    text = re.sub(r"(?<=\d) (?=\\frac)", "", text)
    return text.strip()
