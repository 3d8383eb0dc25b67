"""An answer taken apart as far as it is certain: its name, its parts, its number and unit."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from prmdata.grading.numbers import quantity
from prmdata.grading.spelling import LONGEST, plain
from prmdata.grading.units import listed

Shape = Literal["number", "words", "parts", "statement", "expression"]
"""`statement`: an equation or inequality that is more than a name and its value."""

_NAME = re.compile(
    r"(?:[a-zA-Z]|\\[a-zA-Z]+)(?:_\{?\w{1,9}\}?|'|\^\{[-+*]?\d?\})*(?:\((?:[a-zA-Z],?){1,4}\))?"
    r"|[A-Z]{2,4}|\|[A-Z]{1,3}\||m?\\angle\s?[A-Z0-9]{1,3}|\((?:[a-zA-Z](?:_\{\w\})?,?){2,6}\)"
    r"|[a-zA-Z][a-zA-Z' ]{2,40}"
)
_RELATION = re.compile(r"<|>|\\(?:le|ge|ne|in|equiv|approx|sim|cong|to|mid)(?![a-zA-Z])")
_CHAIN = re.compile(r"(.{1,200}?)(<|\\le(?![a-z]))\s?([a-zA-Z])\s?(<|\\le(?![a-z]))(.{1,200})")
_ONE_SIDED = re.compile(
    r"([a-zA-Z])(<|>|\\le(?![a-z])|\\ge(?![a-z]))\s?([^<>=a-zA-Z]{1,200}|.*\\.*)"
)
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[ '-][^\W\d_]+)*")
_MEMBER = re.compile(r"^[a-zA-Z]\\in\s?(?=[(\[\\])")
_MEASURED = re.compile(
    r"(.*?[\d})a-zA-Z])(?:\s|(?<=[})]))((?:square |cubic |sq |cu )?[a-zA-Z]{2,}(?:\^\{[23]\})?)"
)
_BRACKETS = (("\\{", "\\}"), ("(", ")"), ("[", "]"), ("(", "]"), ("[", ")"))
_JOINED = re.compile(r",\s?(?:or|and)\s|\s(?:or|and)\s|;|\\cup(?![a-zA-Z])|,")


@dataclass(frozen=True, slots=True)
class Reading:
    text: str
    """Spelled plainly, without its name."""
    shape: Shape
    name: str = ""
    """What is said to have this value: `x`, `f(x)`, `|AB|`, `(p,q)`."""
    number: Fraction | None = None
    unit: str = ""
    opening: str = ""
    """Of the parts: a bracket, nothing, or `∪` for a union."""
    closing: str = ""
    parts: tuple[Reading, ...] = ()


@functools.lru_cache(maxsize=4096)
def read(raw: str) -> Reading:
    if len(raw) > LONGEST:
        return Reading(raw.strip(), "expression")
    return _read(plain(raw), raw)


def _read(text: str, raw: str = "", name: str = "", depth: int = 0) -> Reading:
    if depth > 6:
        return Reading(text, "expression", name)
    if text.count("\\pm") == 1 and "\\mp" not in text:
        text = ",".join(text.replace("\\pm", sign).removeprefix("+") for sign in "+-")
    value, unit = quantity(_with_currency(text, raw))
    if value is not None:
        return Reading(text, "number", name, value, unit)
    text = _MEMBER.sub("", _interval(text) or text)
    parts = _parts(text, depth)
    if parts is not None:
        return replace(parts, name=name) if name else parts
    sides = _sides(text)
    if len(sides) > 1:
        if _RELATION.search(text) or not all(sides):
            return Reading(text, "statement", name)
        if len(sides) == 2 and not _is_name(sides[0]):
            return Reading(text, "statement", name)
        return _read(sides[-1], raw, sides[0] if _is_name(sides[0]) else "", depth + 1)
    if _RELATION.search(text):
        return Reading(text, "statement", name)
    if text.startswith("(") and text.endswith(")") and _balanced(text[1:-1]):
        return _read(text[1:-1], raw, name, depth + 1)
    if (measured := _MEASURED.fullmatch(text)) and (measure := listed(measured[2])):
        return Reading(measured[1], "expression", name, unit=measure)
    return Reading(text, "words" if _WORDS.fullmatch(text) else "expression", name)


def _is_name(side: str) -> bool:
    return _NAME.fullmatch(side) is not None


def _with_currency(text: str, raw: str) -> str:
    """The dollar sign that the typography lost, where it stood for dollars."""
    bare = raw.strip().strip("*").lstrip("-+( ")
    dollars = "\\$" in raw or (bare.startswith("$") and bare.count("$") == 1)
    if not dollars or not re.match(r"[-+]?[\d.]", text):
        return text
    sign = text[0] if text[0] in "-+" else ""
    return f"{sign}${text[len(sign) :]}"


def _interval(text: str) -> str | None:
    """`1\\le x<8` → `[1,8)`; `x>2` → `(2,\\infty)`."""
    if chain := _CHAIN.fullmatch(text):
        low, first, _, second, high = chain.groups()
        if _RELATION.search(low) or _RELATION.search(high) or "=" in text:
            return None
        return f"{'(' if first == '<' else '['}{low},{high}{')' if second == '<' else ']'}"
    one = _ONE_SIDED.fullmatch(text)
    if one is None or _RELATION.search(one[3]) or re.search(r"\s(or|and)\s|,|;", text):
        return None
    if one[2] in ("<", "\\le"):
        return f"(-\\infty,{one[3]}{')' if one[2] == '<' else ']'}"
    return f"{'(' if one[2] == '>' else '['}{one[3]},\\infty)"


def _parts(text: str, depth: int) -> Reading | None:
    """`(1,2)`, `[0,5)`, `\\{1,2\\}`, `1,2`, `x=1 or x=2`, `a\\cup b`."""
    opening = closing = ""
    inner = text
    for left, right in _BRACKETS:
        if text.startswith(left) and text.endswith(right) and len(text) >= len(left + right):
            inside = text[len(left) : -len(right)]
            if _balanced(inside):
                opening, inner, closing = left, inside, right
                break
    pieces = _split(inner)
    if pieces is None or (len(pieces) < 2 and opening != "\\{"):
        return None
    if not opening and "\\cup" in inner:
        opening = "∪"
    if opening == "\\{" and not inner.strip():
        return Reading(text, "parts", opening="\\{", closing="\\}")
    read_parts = tuple(_read(piece, piece, depth=depth + 1) for piece in pieces)
    return Reading(text, "parts", opening=opening, closing=closing, parts=read_parts)


def _balanced(text: str) -> bool:
    depth = 0
    for mark in text:
        depth += (mark in "([{") - (mark in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _split(text: str) -> list[str] | None:
    """At commas, semicolons, `or`, `and` and unions outside of all brackets."""
    if "..." in text or "dots" in text:
        return None
    depths, depth = [], 0
    for mark in text:
        depth += (mark in "([{") - (mark in ")]}")
        depths.append(depth)
    if depth != 0:
        # half-open intervals of a union close with the other bracket, so count kinds alike above
        return None
    parts, start = [], 0
    for found in _JOINED.finditer(text):
        if depths[found.start()] == 0:
            parts.append(text[start : found.start()].strip())
            start = found.end()
    parts.append(text[start:].strip())
    kept = [part for part in parts if part]
    lost = len(parts) - len(kept)
    return kept if lost == 0 or (" and " in text or " or " in text) else None


def _sides(text: str) -> list[str]:
    return [side.strip() for side in re.split(r"(?<![<>!\\=:])=(?!=)", text)]
