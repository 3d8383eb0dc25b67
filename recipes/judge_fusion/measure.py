"""Recorded judgements with truth → how far single judges, votes and `weaver` find the first wrong
step.

python measure.py FILE… [--folds 5] [--audited 100] [--seed 0] [--into README.md]

Folds are drawn by problem: whatever is learned is learned on the other folds, with or without the
truth of some of their traces. Intervals are bootstraps over problems.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prmdata import imports
from prmdata.files import readable
from prmdata.grading import Grader
from prmdata.labellers.weaver import Weaver
from prmdata.records import Labels, Trace
from prmdata.report.score import total
from prmdata.stages.import_traces import taken_in
from prmdata.stages.whole_groups import whole_groups
from prmdata.truth import truth_of

Traces = Sequence[Trace]
Row = tuple[str, dict[str, Any]]


def load(files: Iterable[str]) -> list[Trace]:
    found = [t for file in files for t in readable(imports.read(file, None, {}))]
    groups = [g for g in whole_groups(found) if isinstance(g, list)]
    return [t for g in groups for t in asyncio.run(taken_in(g, Grader("auto")))]


def hidden(trace: Trace) -> Trace:
    return replace(trace, evidence=tuple(e for e in trace.evidence if e.kind != "truth"))


def first_error(trace: Trace) -> int | None:
    truth = truth_of(trace, "evidence")
    assert truth is not None
    return truth.first_wrong


def folds_of(traces: Traces, folds: int, seed: int) -> list[int]:
    problems = sorted({trace.problem.id for trace in traces})
    random.Random(seed).shuffle(problems)
    fold = {problem: at % folds for at, problem in enumerate(problems)}
    return [fold[trace.problem.id] for trace in traces]


def woven(train: Traces, test: Traces, audited: int, seed: int) -> list[Trace]:
    """The test traces, labelled by what the others teach; of `audited` of them the truth is
    known."""
    people = set()
    if audited:
        drawn = random.Random(seed).sample(range(len(train)), min(audited, len(train)))
        people = {train[at].id for at in drawn}
    firsts = {trace.id: first_error(trace) for trace in train if trace.id in people}
    known = (lambda t: firsts.get(t.id, False)) if audited else None
    method = Weaver().pooled([hidden(t) for t in train], known, lambda line: None)
    return asyncio.run(method.apply([hidden(t) for t in test], None))  # type: ignore[arg-type]


def said(trace: Trace, first: int | None) -> Trace:
    return replace(trace, labels=Labels("judge", first, (1.0,) * len(trace.steps)))


def plurality(trace: Trace) -> int | None:
    firsts = [e.first_wrong for e in trace.evidence if e.kind == "verdicts"]
    return Counter(firsts).most_common(1)[0][0]


def majority(trace: Trace) -> int | None:
    judges = [e for e in trace.evidence if e.kind == "verdicts"]
    wrong = [sum(e.verdicts[s] == "wrong" for e in judges) for s in range(len(trace.steps))]
    return next((s for s, count in enumerate(wrong) if 2 * count > len(judges)), None)


def figures(traces: Traces, labelled: Traces) -> dict[str, Any]:
    truths = {trace.id: truth_of(trace, "evidence") for trace in traces}
    return total(labelled, lambda trace: truths[trace.id]).figures()


def judges(traces: Traces) -> list[Row]:
    names = sorted({e.name for t in traces for e in t.evidence if e.kind == "verdicts"})
    rows = []
    for name in names:
        own = [said(t, e.first_wrong) for t in traces if (e := t.evidence_named(name))]
        rows.append((name, figures(traces, own)))
    return sorted(rows, key=lambda row: -row[1]["exact"])


def chosen_judge(traces: Traces, fold: Sequence[int], audited: int, seed: int) -> list[Trace]:
    """What the judge says that is best on as many audited traces of the other folds."""
    names = sorted({e.name for t in traces for e in t.evidence if e.kind == "verdicts"})
    made = []
    for k in sorted(set(fold)):
        others = [t for t, f in zip(traces, fold, strict=True) if f != k]
        drawn = random.Random(seed).sample(others, min(audited, len(others)))

        def hits(name: str, drawn: Traces = drawn) -> int:
            return sum(
                e is not None and e.first_wrong == first_error(t)
                for t in drawn
                for e in [t.evidence_named(name)]
            )

        best = max(names, key=hits)
        for t, f in zip(traces, fold, strict=True):
            e = t.evidence_named(best)
            if f == k and e is not None:
                made.append(said(t, e.first_wrong))
    return made


def crossed(
    traces: Traces, fold: Sequence[int], work: Callable[[Traces, Traces], Traces]
) -> Traces:
    made: list[Trace] = []
    for k in sorted(set(fold)):
        train = [t for t, f in zip(traces, fold, strict=True) if f != k]
        made += work(train, [t for t, f in zip(traces, fold, strict=True) if f == k])
    return made


def measured(traces: Traces, folds: int, audited: int, seed: int) -> list[Row]:
    fold = folds_of(traces, folds, seed)
    rows = judges(traces)
    table = [(f"best judge, in hindsight ({rows[0][0]})", rows[0][1])]
    table.append((f"median judge ({rows[len(rows) // 2][0]})", rows[len(rows) // 2][1]))
    table.append(
        ("majority, step by step", figures(traces, [said(t, majority(t)) for t in traces]))
    )
    table.append(("plurality", figures(traces, [said(t, plurality(t)) for t in traces])))
    own = chosen_judge(traces, fold, audited, seed)
    table.append((f"judge chosen on {audited} audited traces", figures(traces, own)))
    for name, count in (
        (f"`weaver`, {audited} audited", audited),
        ("`weaver`, all audited", 10**9),
    ):
        made = crossed(traces, fold, lambda a, b, n=count: woven(a, b, n, seed))  # type: ignore[misc]
        table.append((name, figures(traces, made)))
    free = crossed(traces, fold, lambda a, b: woven(a, b, 0, seed))
    table.insert(-2, ("`weaver`, no label", figures(traces, free)))
    return table


def line(name: str, found: dict[str, Any]) -> str:
    low, high = found["intervals"]["exact"]
    half = found.get("exact_at_most_confident_50")
    sure = "" if half is None else f"{half:.3f}"
    ece = "" if found.get("ece") is None else f"{found['ece']:.3f}"
    exact, wrong, none = (found[f"exact{of}"] for of in ("", "_on_erroneous", "_on_correct"))
    shown = f"{exact:.3f} ({low:.3f}–{high:.3f}) | {wrong:.3f} | {none:.3f}"
    return f"| {name} | {shown} | {sure} | {ece} |"


HEAD = [
    "| labels by | first error exact (95 %) | where there is one | where there is none "
    "| surest half | ECE |",
    "|---|---|---|---|---|---|",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--audited", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--into", type=Path, help="a Markdown file with a marked place for the table"
    )
    asked = parser.parse_args()
    traces = load(asked.files)
    lines = HEAD + [line(*row) for row in measured(traces, asked.folds, asked.audited, asked.seed)]
    print("\n".join(lines))
    if asked.into:
        text = asked.into.read_text(encoding="utf-8")
        head, rest = text.split("<!-- table -->\n")
        tail = rest.partition("<!-- end of table -->")[2]
        written = head + "<!-- table -->\n" + "\n".join(lines) + "\n<!-- end of table -->" + tail
        asked.into.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
