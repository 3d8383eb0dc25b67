"""Small labelled traces that a person can follow, and hostile ones."""

from __future__ import annotations

import random
from dataclasses import replace

from prmdata.records import Cost, Evidence, Labels, Problem, Step, Tally, Trace

WORDS = ("apples", "pencils", "marbles", "plums")


def trace(problem: int, sample: int = 0, *, first: int | None = 2, steps: int = 5) -> Trace:
    """Its label says that `first` is wrong; arithmetic and a truth speak of it too."""
    texts = [
        f"Step {i + 1}: {WORDS[problem % 4]} {i} + {sample} = {i + sample}.\n" for i in range(steps)
    ]
    wrong_from = steps if first is None else first
    confidence = 0.95 - 0.1 * (problem % 6)
    rest = (1 - confidence) / max(steps, 1)
    values = tuple(
        round((1 - rest * (i + 1) if i < wrong_from else rest * (steps - i - 1)), 4)
        for i in range(steps)
    )
    labels = Labels("posterior", first, values, confidence, cost=Cost(100 + 10 * problem, 8, 3))
    hits = Evidence(
        "posterior",
        "rollouts",
        values=tuple(0.5 if i == 1 else None for i in range(steps)),
        hits=tuple(1 if i == 1 else None for i in range(steps)),
        rollouts=tuple(2 if i == 1 else None for i in range(steps)),
    )
    verdicts = Evidence(
        "arithmetic",
        "verdicts",
        verdicts=tuple("wrong" if i == (first or 0) else "unknown" for i in range(steps)),
        notes=tuple("2 + 2 is 4" if i == (first or 0) else None for i in range(steps)),
        checked_by="tool",
    )
    return Trace(
        f"p{problem}/{sample}",
        Problem(f"p{problem}", f"How many {WORDS[problem % 4]} are there in case {problem}?", "7"),
        tuple(map(Step, texts)),
        answer="8" if first is not None else "7",
        correct=first is None,
        grade="wrong" if first is not None else "right",
        finish="stop",
        group=Tally(4, 2, 2),
        evidence=(hits, verdicts),
        labels=labels,
    )


def traces(problems: int = 12, samples: int = 4) -> list[Trace]:
    return [
        trace(p, s, first=None if s % 2 else (p + s) % 5)
        for p in range(problems)
        for s in range(samples)
    ]


def truth(first: int | None, steps: int = 5) -> Evidence:
    verdicts = tuple(
        "right" if first is None or i < first else "wrong" if i == first else None
        for i in range(steps)
    )
    return Evidence("people", "truth", verdicts=verdicts)


def with_truth(found: list[Trace], shift: int = 0) -> list[Trace]:
    """The truth is the label's first error, of every third trace one step later."""
    made = []
    for number, one in enumerate(found):
        first = one.labels.first_error if one.labels else None
        if first is not None and number % 3 == 0:
            first = min(first + 1, len(one.steps) - 1)
        made.append(one.with_evidence(truth(first, len(one.steps))))
    return made


SCRIPT = "window.executed = (window.executed || 0) + 1"
SEEDS = (
    f"<script>{SCRIPT}</script>",
    f"</script><script>{SCRIPT}</script>",
    f"</pre></div><img src=x onerror='{SCRIPT}'>",
    f"<svg onload=\"{SCRIPT}\">",
    f"<iframe srcdoc=\"<script>parent.{SCRIPT}</script>\"></iframe>",
    f"javascript:{SCRIPT}",
    f"[x](javascript:{SCRIPT})",
    f"<a href=\"javascript:{SCRIPT}\">x</a>",
    "<style>*{display:none}</style>",
    "<!--", "-->", "]]>", "<![CDATA[", "{{facts}}", "{{script}}", "${1+1}", "`;alert(1)//",
    "\u202eevil\u202c", "\u2066\u2067\u2068", "\u200f\u061c", "\x00\x01\x1b[2J\x07\x9b31m",
    "\u2028\u2029", "\ufeff\ufffe\uffff", "e" + "\u0301" * 400, "W" * 6000, "ﷺ﷽" * 80,
    "\U000e0041\U000e007f", "🏴‍☠️👨‍👩‍👧‍👦" * 60, "\t" * 300, "\n" * 120, "\r\n\r", " " * 2000,
    "$\\frac{1}{$", "$$" + "{" * 300 + "$$", "$\\href{javascript:alert(1)}{x}$", "$\\def\\x{\\x\\x}\\x$",
    "$" + "\\sqrt{" * 80 + "x" + "}" * 80 + "$", "```\n" + "<b>" * 50, "```html\n<script>1</script>\n```",
    "**" * 200, "`" * 200, "\\[" * 100, "&lt;script&gt;&#x3c;", "&#60;img src=x onerror=alert(1)&#62;",
    "__proto__", "constructor", "toString", "hasOwnProperty", "' onmouseover='alert(1)", "\" autofocus onfocus=\"alert(1)",
    "%3Cscript%3E", "\\u003cscript\\u003e", "#/traces?id=x", "?row=9999999999", "..%2f..%2f", "file:///etc/passwd",
)  # fmt: skip


def hostile(count: int, seed: int = 0) -> list[str]:
    """Strings that mean harm, alone and joined."""
    chance = random.Random(seed)
    made = list(SEEDS)
    while len(made) < count:
        parts = [chance.choice(SEEDS) for _ in range(chance.randint(1, 3))]
        text = chance.choice(("", " ", "\n")).join(parts)
        at = chance.randrange(len(text) + 1)
        made.append(
            text[:at]
            + chr(
                chance.choice(
                    (
                        chance.randrange(32, 0x2FF),
                        chance.randrange(0x600, 0x6FF),
                        chance.randrange(0x2000, 0x2100),
                    )
                )
            )
            + text[at:]
        )
    return [text[:7000] for text in made[:count]]


def hostile_trace(strings: list[str], number: int) -> Trace:
    """A trace whose every text is one of the strings: eleven of them."""
    take = iter(strings)
    steps = tuple(
        Step(next(take), kind) for kind in ("thought", "code", "tool_call", "observation")
    )  # type: ignore[arg-type]
    question, answer, gold, note, name, by, error = (next(take) for _ in range(7))
    evidence = Evidence(
        name,
        "verdicts",
        verdicts=("right", "wrong", "unknown", None),
        notes=(note,) * 4,
        settings={name: by},
    )
    base = trace(number, steps=4)
    assert base.labels is not None
    return replace(
        base,
        id=f"h{number}/{question}",
        problem=Problem(f"h{number}", question if question.strip() else "x", gold),
        steps=steps,
        answer=answer,
        evidence=(evidence, truth(1, 4)),
        labels=replace(base.labels, by=by or "x", values=(0.9, 0.2, 0.1, 0.0)),
        error=error if number % 7 == 0 else None,
    )
