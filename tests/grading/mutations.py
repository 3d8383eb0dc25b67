"""Gold answers → answers that look like them and are wrong.

    python -m tests.grading.mutations FILE…    # golds in `answer`; counts what is graded right

A mutation is only made where it surely changes what the answer says.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from prmdata.grading import compare
from prmdata.grading.numbers import number
from prmdata.grading.symbolic import understood

GOLDS = (
    "18", "7", "-3", "0.5", "1,250", "12.75", "360", r"\frac{3}{4}", r"-\frac{7}{9}", r"12\frac{3}{5}",
    "2/3", r"28\%", r"90^\circ", r"\$45", "5 cm", "60 miles per hour", r"3\text{ hours}",
    r"2\sqrt{3}", r"\sqrt{51}", r"\frac{\sqrt{3}}{2}", r"3\pi", r"\frac{\pi}{6}", r"16\pi - 8",
    "5i", "3+4i", r"\frac{2}{5}-\frac{1}{5}i", "2x", "x+22", "3x^2-5x+7", r"\frac{x+2}{7}",
    r"\frac{1}{x+2}", "(x+1)(x-4)", "x(y+2)", "a-(b-c)", "f(x)=x+22", "y=2x+3", "x=5", "A=2",
    "(3,2)", r"(\frac{2}{5},\frac{1}{2})", "(1,-4,7)", "(p,q)=(3,2)", r"\left( 3, \frac{\pi}{2} \right)",
    "1,2,4", "18, 19", "x=3, y=5", "x=1 or x=2", r"\{1,3,8\}", "[1,8]", "(0,5]", r"[-2,\infty)",
    r"(-\infty,1)\cup(3,\infty)", "1011_2", "231_{10}", "2^{10}", r"\log_2 7", "e^3", r"\binom{9}{2}",
    r"\begin{pmatrix} 1 \\ 5 \end{pmatrix}", r"x\ge 3", r"1\le x\le 8", "|AB|=9", "Evelyn", "even",
)  # fmt: skip

_INTEGER = re.compile(r"\d+")
_PLAIN = re.compile(r"-?\d{1,3}(?:,\d{3})+|-?\d*\.?\d+|-?\d+/\d+|-?\\frac\{\d+\}\{\d+\}")
_LISTED = re.compile(r"(\(|\[|\\\{|)([^()\[\]{}]*,[^()\[\]{}]*)(\)|\]|\\\}|)")


def mutated(gold: str) -> Iterator[tuple[str, str]]:
    """(kind of mutation, wrong answer)."""
    yield from _digits(gold)
    if _PLAIN.fullmatch(gold):
        yield from _numbers(gold)
    if listed := _LISTED.fullmatch(gold):
        yield from _lists(*listed.groups())
    yield from _structure(gold)
    yield from _names(gold)


def _digits(gold: str) -> Iterator[tuple[str, str]]:
    for found in list(_INTEGER.finditer(gold))[:4]:
        value = int(found[0])
        if "," in gold and re.search(r"\d,\d{3}", gold):
            break
        for kind, other in (("one more", value + 1), ("ten times", value * 10)):
            if other != value and not (kind == "ten times" and gold[: found.start()].endswith(".")):
                yield kind, f"{gold[: found.start()]}{other}{gold[found.end() :]}"


def _numbers(gold: str) -> Iterator[tuple[str, str]]:
    value = number(gold.replace(",", ""))
    if not value:
        return
    yield "sign", gold.removeprefix("-") if gold.startswith("-") else f"-{gold}"
    for word in ("million", "thousand", "hundred", "dozen", "billion"):
        yield "scale word", f"{gold} {word}"
        yield "scale in text", f"{gold}\\text{{ {word}}}"
    for letter in ("x", "i", "n", "\\pi", "k", "y^2"):
        yield "a factor", f"{gold}{letter}"
    for other in (value + 1, value - 1):
        yield "or", f"{gold} or {other}"
        yield "and", f"{gold}\\text{{ and }}{other}"
        yield "listed", f"{gold}, {other}"
        yield "range", f"{gold} to {other}"
    yield "equation", f"x={value + 1}"
    yield "root", f"\\sqrt{{{gold}}}" if value != 1 else "2"
    yield "exponent", f"{gold}^2" if abs(value) != 1 else "3"
    yield "share", f"{value + 3}%"
    if value not in (1, -1):
        yield "inverse", str(1 / value)


def _lists(opening: str, inner: str, closing: str) -> Iterator[tuple[str, str]]:
    parts = [part.strip() for part in inner.split(",")]
    if len(set(parts)) < 2:
        return
    yield "one lost", f"{opening}{', '.join(parts[:-1])}{closing}"
    yield "one twice", f"{opening}{', '.join([*parts[:-1], parts[0]])}{closing}"
    yield "one more part", f"{opening}{', '.join([*parts, '97'])}{closing}"
    yield "negated", f"-({inner})"
    if opening in ("(", "[") and "infty" not in inner:
        yield "swapped", f"{opening}{', '.join(reversed(parts))}{closing}"
    if opening in ("(", "["):
        other = {"(": "[", "[": "("}[opening]
        yield "other bracket", f"{other}{inner}{closing}"
        yield "a set", f"\\{{{inner}\\}}"
    if all("=" in part for part in parts):
        names, values = zip(*(part.split("=") for part in parts), strict=True)
        if len(set(names)) == len(names):
            pairs = zip(names, reversed(values), strict=True)
            yield "values swapped", ", ".join(f"{name}={value}" for name, value in pairs)


def _structure(gold: str) -> Iterator[tuple[str, str]]:
    fraction = re.search(r"\\frac\{([^{}]*[-+][^{}]*)\}\{([^{}]*)\}", gold)
    if fraction:
        left, sign, right = re.split(r"([-+])", fraction[1], maxsplit=1)
        spread = f"{left}{sign}\\frac{{{right}}}{{{fraction[2]}}}"
        yield "bracket lost", gold.replace(fraction[0], spread)
    bottom = re.search(r"\\frac\{([^{}]*)\}\{([^{}+-]*)([-+][^{}]*)\}", gold)
    if bottom:
        yield "bracket lost", f"\\frac{{{bottom[1]}}}{{{bottom[2]}}}{bottom[3]}"
    simple = re.fullmatch(r"-?\\frac\{(\d+)\}\{(\d+)\}", gold)
    if simple and simple[1] != simple[2]:
        yield (
            "upside down",
            gold.replace(simple[0].lstrip("-"), f"\\frac{{{simple[2]}}}{{{simple[1]}}}"),
        )
    grouped = re.search(r"[-\da-z)]\(([^(),]*[-+][^(),]*)\)", gold)
    if grouped and "=" not in gold and "," not in gold:
        yield "bracket lost", gold.replace(f"({grouped[1]})", grouped[1], 1)
    if "\\sqrt" in gold:
        yield "root lost", re.sub(r"\\sqrt\{([^{}]*)\}", r"\1", gold)
    if "\\pi" in gold:
        yield "pi lost", gold.replace("\\pi", "")
    if "\\cup" in gold:
        yield "half of a union", gold.split("\\cup")[0]
    if re.search(r"\\[gl]e\b", gold):
        yield "strict", gold.replace("\\ge", ">").replace("\\le", "<")
        yield (
            "turned round",
            gold.replace("\\ge", "\\LE").replace("\\le", "\\ge").replace("\\LE", "\\le"),
        )
    if base := re.fullmatch(r"(\d+)_\{?(\d+)\}?", gold):
        yield "other base", f"{base[1]}_{{{int(base[2]) + 1}}}"
        yield "no base", base[1]


def _names(gold: str) -> Iterator[tuple[str, str]]:
    name = re.fullmatch(r"([a-zA-Z])(\([a-z]\))?=([^=,]*)", gold)
    if name and name[1] not in name[3]:
        yield "other name", f"{'B' if name[1].isupper() else 'w'}{name[2] or ''}={name[3]}"
    if unit := re.fullmatch(r"(-?[\d.]+)\s?(?:\\text\{)?\s?(cm|hours|miles per hour)\}?", gold):
        other = {"cm": "mm", "hours": "minutes", "miles per hour": "km per hour"}[unit[2]]
        yield "other unit", f"{unit[1]} {other}"
    if re.fullmatch(r"[A-Za-z]{3,}", gold):
        yield "another word", f"not {gold}"
        yield "another word", f"{gold[:-1]}"


def is_right(answer: str, gold: str) -> bool:
    same = compare(answer, gold)
    return understood(answer, gold) == "right" if same is None else same


def false_rights(golds: list[str]) -> tuple[int, list[tuple[str, str, str]]]:
    """How many wrong answers were made, and those that are graded right."""
    made = [(kind, answer, gold) for gold in golds for kind, answer in mutated(gold)]
    made = [(kind, answer, gold) for kind, answer, gold in made if not _equal(answer, gold)]
    return len(made), [row for row in made if is_right(row[1], row[2])]


def _equal(answer: str, gold: str) -> bool:
    """Where a mutation happened to change nothing."""
    mine, theirs = number(answer.replace(",", "")), number(gold.replace(",", ""))
    return answer == gold or (mine is not None and mine == theirs)


def main() -> None:
    golds = [
        json.loads(line)["answer"].rpartition("####")[2].strip()
        for path in sys.argv[1:]
        for line in Path(path).read_text().splitlines()
    ]
    count, wrong = false_rights([*GOLDS, *dict.fromkeys(golds)])
    for kind, answer, gold in wrong:
        print(f"{kind}: {gold} <- {answer}")
    print(f"{len(wrong)} of {count} mutated golds are graded right")


if __name__ == "__main__":
    main()
