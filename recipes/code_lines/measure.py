"""Verdicts on lines against the lines that were broken: `python measure.py verified.jsonl`."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

import prmdata
from prmdata.records import Trace


def counted(traces: list[Trace]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for trace in traces:
        found, truth = trace.evidence_named("unit-tests"), trace.evidence_named("written")
        assert found is not None
        assert truth is not None
        ends = "right" if trace.correct else "wrong"
        counts[f"{ends} programs"] += 1
        wrong = [i for i, verdict in enumerate(found.verdicts) if verdict == "wrong"]
        known = truth.verdicts.index("wrong") if not trace.correct else None
        counts["found"] += known in wrong
        counts["found alone"] += wrong == [known]
        counts["others called wrong"] += sum(i != known for i in wrong)
        counts["silent"] += not trace.correct and not wrong
        counts[f"lines of {ends} programs"] += len(found.verdicts)
        counts[f"called right in {ends} programs"] += found.verdicts.count("right")
        counts["with survivors"] += sum("no test notices" in (note or "") for note in found.notes)
    return counts


def table(counts: Counter[str]) -> str:
    lines, broken = counts["lines of right programs"], counts["wrong programs"]
    rows = [
        ("programs that pass", f"{counts['right programs']}"),
        ("their lines called right", f"{counts['called right in right programs']} of {lines}"),
        ("their lines with a change that no test notices", f"{counts['with survivors']}"),
        ("programs with one wrong line", f"{broken}"),
        ("its line called wrong", f"{counts['found']} of {broken}"),
        ("its line alone called wrong", f"{counts['found alone']} of {broken}"),
        ("nothing called wrong", f"{counts['silent']} of {broken}"),
        ("other lines called wrong", f"{counts['others called wrong']}"),
    ]
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {figure} |\n" for name, figure in rows)


def lines_table(traces: list[Trace]) -> str:
    """How the rewritten lines came out, by the way in which they were rewritten."""
    counts: Counter[tuple[str, str]] = Counter()
    for trace in traces:
        assert trace.labels is not None
        outcome = "right" if trace.labels.first_error is None else "wrong"
        counts[trace.labels.settings["rewriting"], outcome] += 1
    rows = [
        f"| {kind} | {counts[kind, 'right']} | {counts[kind, 'wrong']} |\n"
        for kind in ("mutation", "refactoring")
    ]
    return "| rewriting | right lines | wrong lines |\n|---|---|---|\n" + "".join(rows)


def put(text: str, mark: str, figures: str) -> str:
    """The text with the figures between the mark and its end."""
    shape = rf"(?s)<!-- {mark} -->.*?<!-- end -->"
    return re.sub(shape, lambda _: f"<!-- {mark} -->\n{figures}<!-- end -->", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verified")
    parser.add_argument("--lines", help="What `prmdata mutate` wrote.")
    parser.add_argument("--into", help="A file whose tables between marks are replaced.")
    options = parser.parse_args()
    figures = {"figures": table(counted(list(prmdata.read(options.verified))))}
    if options.lines:
        figures["lines"] = lines_table(list(prmdata.read(options.lines)))
    print("\n".join(figures.values()))
    if options.into:
        path = Path(options.into)
        text = path.read_text(encoding="utf-8")
        for mark, found in figures.items():
            text = put(text, mark, found)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
