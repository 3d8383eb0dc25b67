"""How the agent does, and what methods find of its first wrong actions, against exact truth.

prmdata generate worlds:ledger:30 --environment worlds --sampler abacus:agent -n 8 \
    -o t.jsonl
python measure_agent.py t.jsonl [labelled.jsonl …] [--into README.md]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from measure import write_into

from prmdata.files import read_traces
from prmdata.intervals import wilson
from prmdata.records import Trace
from prmdata.report.score import score
from prmdata.truth import truth_of

LEVELS = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces", type=Path)
    options.add_argument("labelled", type=Path, nargs="*")
    options.add_argument("--into", type=Path, action="append", default=[], help="a README")
    asked = options.parse_args()
    text = "\n".join([*figures(read(asked.traces)), "", *methods(asked.labelled)])
    print(text)
    for page in asked.into:
        write_into(page, text)


def read(path: Path) -> list[Trace]:
    return [trace for trace in read_traces(str(path)) if isinstance(trace, Trace)]


def figures(traces: Sequence[Trace]) -> list[str]:
    firsts = [truth.first_wrong for t in traces if (truth := truth_of(t, "worlds"))]
    right = [bool(trace.correct) for trace in traces]
    wrong = [first is not None for first in firsts]
    saved = sum(r and w for r, w in zip(right, wrong, strict=True))
    lines = ["| figure | value |", "|---|---|", f"| traces | {len(traces)} |"]
    lines.append(f"| right answers | {interval(sum(right), len(right))} |")
    for level in range(LEVELS):
        own = [bool(t.correct) for t in traces if t.problem.meta["index"] % LEVELS == level]
        lines.append(f"| right answers, level {level + 1} | {interval(sum(own), len(own))} |")
    groups: dict[str, list[bool]] = {}
    for trace in traces:
        groups.setdefault(trace.problem.id, []).append(bool(trace.correct))
    mixed = sum(0 < sum(group) < len(group) for group in groups.values())
    lines.append(f"| problems with some but not all right | {interval(mixed, len(groups))} |")
    lines.append(f"| traces with a wrong action | {interval(sum(wrong), len(wrong))} |")
    lines.append(f"| of these, right answer | {interval(saved, sum(wrong))} |")
    lines.append(f"| cut | {sum(trace.finish == 'length' for trace in traces)} |")
    lines.append(f"| calls | {sum(len(s.calls) for t in traces for s in t.steps)} |")
    kinds = Counter(kind(trace) for trace, is_wrong in zip(traces, wrong, strict=True) if is_wrong)
    lines += ["", "First wrong actions:", "", "```"]
    lines += [f"{name:>32} {count}" for name, count in kinds.most_common(8)]
    return [*lines, "```"]


def kind(trace: Trace) -> str:
    """What the oracle says of the first wrong action."""
    truth = truth_of(trace, "worlds")
    assert truth is not None
    assert truth.first_wrong is not None
    return str(truth.notes[truth.first_wrong])


def interval(hits: int, of: int) -> str:
    low, high = wilson(hits, of, 1.96)
    return f"{hits / max(of, 1):.3f} [{low:.3f}, {high:.3f}] of {of}"


def methods(labelled: Sequence[Path]) -> list[str]:
    if not labelled:
        return []
    lines = [
        "| labels | F1 | exact | exact on right ones | tokens a trace |",
        "|---|---|---|---|---|",
    ]
    for path in labelled:
        found = score(read_traces(str(path)), lambda trace: truth_of(trace, "worlds"))
        lines.append(
            f"| `{path.stem}` | {found['f1']:.3f} | {found['exact_on_erroneous']:.3f} "
            f"of {found['with_a_wrong_step']} | {found['exact_on_correct']:.3f} | "
            f"{found['tokens_per_trace']:,.0f} |"
        )
    return lines


if __name__ == "__main__":
    main()
