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
        said, truth = trace.evidence_named("unit-tests"), trace.evidence_named("written")
        assert said is not None
        assert truth is not None
        ends = "right" if trace.correct else "wrong"
        counts[f"{ends} programs"] += 1
        wrong = [i for i, verdict in enumerate(said.verdicts) if verdict == "wrong"]
        known = truth.verdicts.index("wrong") if not trace.correct else None
        counts["found"] += known in wrong
        counts["found alone"] += wrong == [known]
        counts["others called wrong"] += sum(i != known for i in wrong)
        counts["silent"] += not trace.correct and not wrong
        counts[f"lines of {ends} programs"] += len(said.verdicts)
        counts[f"called right in {ends} programs"] += said.verdicts.count("right")
        counts["with survivors"] += sum("no test notices" in (note or "") for note in said.notes)
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
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {said} |\n" for name, said in rows)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("verified")
    words.add_argument("--into", help="a file whose table between marks is replaced")
    asked = words.parse_args()
    made = table(counted(list(prmdata.read(asked.verified))))
    print(made)
    if asked.into:
        path = Path(asked.into)
        text = path.read_text(encoding="utf-8")
        marked = f"<!-- figures -->\n{made}<!-- end -->"
        path.write_text(re.sub(r"(?s)<!-- figures -->.*?<!-- end -->", marked, text))


if __name__ == "__main__":
    main()
