"""The arithmetic verifier on reference solutions: false alarms, and injected errors found.

    python -m tests.verifiers.measure FOLDER [TRACES]

FOLDER holds `gsm8k_test.jsonl` and `math500.jsonl`; TRACES, made by `prmdata generate abacus:60`,
are compared with the oracle. Prints the figures and each step of a reference called wrong.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prmdata.files import read_traces
from prmdata.truth import truth_of
from prmdata.verifiers.arithmetic import Arithmetic

RESULT = re.compile(
    r"(?<![=<>!])=\s?(?:\\boxed\{)?(?:\\?\$)?\s?(-?\d+(?:\.\d+)?)(?![\d.,]*[\d/a-zA-Z^(_])"
)
"""A number at the right of an equals sign."""
NUMERIC = re.compile(r"[\d)}]\s?%?\s?=\s?(?:\\boxed\{)?(?:\\?\$)?\s?-?\d+(?:\.\d+)?$")
"""A result whose left side ends in a number: most equalities between numbers."""
LETTERS = re.compile(r"[a-zA-Z]+")


def solutions(folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    yield "GSM8K", [lines(row["answer"]) for row in rows(folder / "gsm8k_test.jsonl")]
    drawing = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
    math = [drawing.sub("", row["solution"]) for row in rows(folder / "math500.jsonl")]
    yield "MATH-500 by lines", [lines(text) for text in math]
    yield "MATH-500 by paragraphs", [re.split(r"\n\n+", text) for text in math]


def rows(path: Path) -> Iterator[dict]:
    with path.open() as file:
        yield from map(json.loads, file)


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def false_alarms(name: str, every: list[list[str]]) -> None:
    start = time.process_time()
    findings = [Arithmetic().check(steps) for steps in every]
    seconds = time.process_time() - start
    total = sum(map(len, every))
    verdicts = Counter(finding.verdict for found in findings for finding in found)
    said = ", ".join(f"{verdict} {verdicts[verdict]}" for verdict in ("right", "unknown", "wrong"))
    print(
        f"{name}: {total} steps, {said} ({verdicts['wrong'] / total:.2%}); {total / seconds:,.0f}/s"
    )
    for steps, found in zip(every, findings, strict=True):
        for step, finding in zip(steps, found, strict=True):
            if finding.verdict == "wrong":
                print(f"  {finding.note}\n    in {' '.join(step.split())[:200]}")


def injections(name: str, every: list[list[str]], show: int) -> None:
    """One result changed in each solution: any number after `=`, then one called right before."""
    for kind in ("numeric", "checkable"):
        chosen = random.Random(5)
        tried = caught = 0
        missed = []
        for steps in every:
            before = Arithmetic().check(steps)
            places = [
                (at, found)
                for at, step in enumerate(steps)
                for found in RESULT.finditer(step)
                if (before[at].verdict == "right" if kind == "checkable" else _numeric(step, found))
            ]
            if not places:
                continue
            at, found = chosen.choice(places)
            step = steps[at]
            changed = step[: found.start(1)] + _wrong(found[1], chosen) + step[found.end(1) :]
            finding = Arithmetic().check([*steps[:at], changed])[at]
            tried += 1
            caught += finding.verdict == "wrong"
            if finding.verdict != "wrong":
                missed.append(changed[max(0, found.start() - 70) : found.end() + 40])
        print(
            f"{name}, injected ({kind}): {caught}/{tried} found, recall {caught / max(tried, 1):.3f}"
        )
        for text in missed[:show]:
            print("   missed:", " ".join(text.split()))


def _numeric(step: str, found: re.Match[str]) -> bool:
    """Whether the side before is one of numbers: no letter since the relation or word before."""
    side = re.split(r"=|[.,;:]\s|\$\$?|\\\[|\\\(", step[: found.start()])[-1]
    bare = re.sub(r"\\(?:[dt]?frac|times|cdot|div|left|right|sqrt|boxed|text\{[^}]*\})", "", side)
    end = re.search(r"[\d)}%]\s?$", step[: found.start()])
    return bool(end) and bool(re.search(r"\d.*[-+*/×^{]", bare)) and not LETTERS.search(bare)


def _wrong(number: str, chosen: random.Random) -> str:
    """The number off by one to a tenth of it, in its last digit or one before."""
    places = len(number.partition(".")[2])
    digits = int(number.replace(".", ""))
    most = max(abs(digits) // 10, 2)
    changed = digits + chosen.choice((-1, 1)) * chosen.randint(1, most)
    text = str(abs(changed)).zfill(places + 1)
    sign = "-" if changed < 0 else ""
    return sign + (f"{text[:-places]}.{text[-places:]}" if places else text)


def against_oracle(path: Path) -> None:
    """Precision over all steps called wrong; recall over the oracle's arithmetic errors."""
    called = rightly = errors = found_errors = 0
    for trace in read_traces(str(path)):
        truth = truth_of(trace, "abacus")
        findings = Arithmetic().check([step.text for step in trace.steps])
        for step, finding, note in zip(trace.steps, findings, truth.notes, strict=True):
            wrong = finding.verdict == "wrong"
            called, rightly = called + wrong, rightly + (wrong and note is not None)
            errors, found_errors = (
                errors + (note == "arithmetic"),
                found_errors + (wrong and note == "arithmetic"),
            )
            if wrong != (note == "arithmetic"):
                print(f"   oracle {note}, {finding.verdict}: {step.text.strip()} {finding.note}")
    print(f"abacus: precision {rightly}/{called}, recall {found_errors}/{errors}")


if __name__ == "__main__":
    for name, every in solutions(Path(sys.argv[1])):
        false_alarms(name, every)
        injections(name, every, show=15)
    if len(sys.argv) > 2:
        against_oracle(Path(sys.argv[2]))
