"""The algebra verifier on reference solutions: false alarms, and injected errors found.

    python -m tests.verifiers.measure_algebra FOLDER

FOLDER holds `gsm8k_test.jsonl` and `math500.jsonl`. Prints the figures and each step of a
reference called wrong.
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

from prmdata.verifiers.algebra import Algebra
from prmdata.verifiers.mathematics.equalities import equalities
from prmdata.verifiers.mathematics.identities import compared
from prmdata.verifiers.mathematics.letters import functions_in, letter_tokens
from prmdata.verifiers.mathematics.polynomials import letters_of
from prmdata.verifiers.mathematics.solving import equation_of, is_posed, root_of
from tests.verifiers.measure import lines

Solutions = list[tuple[str, list[str]]]
"""Questions, each with the steps of its solution."""


def solutions(folder: Path) -> Iterator[tuple[str, Solutions]]:
    gsm8k = [json.loads(line) for line in (folder / "gsm8k_test.jsonl").open()]
    yield "GSM8K", [(row["question"], lines(row["answer"])) for row in gsm8k]
    drawing = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
    math = [json.loads(line) for line in (folder / "math500.jsonl").open()]
    cut = [(row["problem"], drawing.sub("", row["solution"])) for row in math]
    yield "MATH-500 by lines", [(problem, lines(text)) for problem, text in cut]
    yield "MATH-500 by paragraphs", [(p, re.split(r"\n\n+", text)) for p, text in cut]


def false_alarms(name: str, every: Solutions) -> None:
    start = time.process_time()
    findings = [Algebra().check(question, steps) for question, steps in every]
    seconds = time.process_time() - start
    total = sum(len(steps) for _, steps in every)
    verdicts = Counter(finding.verdict for found in findings for finding in found)
    said = ", ".join(f"{verdict} {verdicts[verdict]}" for verdict in ("right", "unknown", "wrong"))
    print(
        f"{name}: {total} steps, {said} ({verdicts['wrong'] / total:.2%}); {total / seconds:,.0f}/s"
    )
    for (_, steps), found in zip(every, findings, strict=True):
        for step, finding in zip(steps, found, strict=True):
            if finding.verdict == "wrong":
                print(f"  {finding.note}\n    in {' '.join(step.split())[:200]}")


def injections(name: str, kind: str, every: Solutions, show: int) -> None:
    """One number changed on the right of an equality that the verifier has called right."""
    chosen = random.Random(5)
    tried = caught = blamed = 0
    missed = []
    for question, steps in every:
        before = Algebra().check(question, steps)
        places = [
            (at, changed)
            for at, step in enumerate(steps)
            if before[at].verdict == "right"
            for changed in changes(step, question, steps, kind, chosen)
        ]
        if not places:
            continue
        at, changed = chosen.choice(places)
        found = Algebra().check(question, [*steps[:at], changed, *steps[at + 1 :]])
        tried += 1
        caught += found[at].verdict == "wrong"
        blamed += any(
            new.verdict == "wrong" != old.verdict for new, old in zip(found, before, strict=True)
        )
        if found[at].verdict != "wrong":
            missed.append(" ".join(changed.split())[:160])
    print(
        f"{name}, injected ({kind}): {caught}/{tried} found, recall {caught / max(tried, 1):.3f}; "
        f"in the step or a later one {blamed}"
    )
    for text in missed[:show]:
        print("   missed:", text)


def changes(
    step: str, question: str, steps: list[str], kind: str, chosen: random.Random
) -> Iterator[str]:
    """The step with one number changed, once for each equality of that kind."""
    text, tokens = letter_tokens(step, functions_in(" ".join([question, *steps])))
    for equality in equalities(tokens):
        left, right = equality.left.parsed.expression, equality.right.parsed.expression
        if not letters_of(left) | letters_of(right):
            continue
        outcome = compared(left, right)
        identity = outcome is not None and outcome.same and left != right
        equation = equation_of(equality, "")
        solution = equation and not is_posed(equation) and root_of(equation) and not identity
        if not (identity if kind == "identity" else solution):
            continue
        numbers = list(tokens[equality.right.start : equality.right.parsed.end])
        numbers = [t for t in numbers if t.kind == "number" and t.text.isdigit()]
        if numbers:
            token = chosen.choice(numbers)
            other = int(token.text) + chosen.choice([1, 2, 3])
            yield f"{text[: token.start]}{other}{text[token.end :]}"


if __name__ == "__main__":
    for name, every in solutions(Path(sys.argv[1])):
        false_alarms(name, every)
        for kind in ("identity", "solution"):
            injections(name, kind, every, show=12)
