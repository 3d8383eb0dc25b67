"""The same traces, labelled in each way, as token-classification datasets.

python labels.py traces.parquet bank.parquet run/labels
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import prmdata
from prmdata.records import Labels, Trace
from prmdata.sampler import ABACUS_MODEL
from prmdata.truth import truth_of


def posterior(traces: Sequence[Trace], sampler: str) -> list[Trace]:
    return prmdata.label(traces, sampler=sampler, settings={"most_rollouts": 64}, store="none")


def bisect(traces: Sequence[Trace], sampler: str) -> list[Trace]:
    return prmdata.label(traces, method="bisect", sampler=sampler, store="none")


def mc(traces: Sequence[Trace], sampler: str) -> list[Trace]:
    """Any hit of eight, on wrong traces: as with the others, right ones are taken at their word."""
    wrong = [trace for trace in traces if not trace.correct]
    valued = prmdata.estimate(wrong, sampler=sampler, store="none")
    decided = {trace.id: trace for trace in prmdata.label(valued, method="threshold")}
    trusted = Labels("mc", None, examined=False)
    return [decided.get(trace.id) or replace(trace, labels=trusted) for trace in traces]


def truth(traces: Sequence[Trace], sampler: str = "") -> list[Trace]:
    """What the oracle says; a right answer on a wrong step is an error here."""
    return [replace(trace, labels=Labels("truth", first_error(trace))) for trace in traces]


def outcome(traces: Sequence[Trace], sampler: str = "") -> list[Trace]:
    """The answer alone, told at the last step: what an outcome reward model learns from."""
    last = [None if trace.correct else len(trace.steps) - 1 for trace in traces]
    pairs = zip(traces, last, strict=True)
    return [replace(trace, labels=Labels("outcome", at)) for trace, at in pairs]


LABELS: dict[str, Callable[[Sequence[Trace], str], list[Trace]]] = {
    "outcome": outcome,
    "mc": mc,
    "bisect": bisect,
    "posterior": posterior,
    "truth": truth,
}


def first_error(trace: Trace) -> int | None:
    known = truth_of(trace, "abacus")
    assert known is not None
    return known.first_wrong


def counts(traces: Sequence[Trace]) -> dict[str, float]:
    """How the labels compare with the truth, and what they cost."""
    labelled = [(t, t.labels) for t in traces if t.labels]
    exact = sum(labels.first_error == first_error(t) for t, labels in labelled)
    tokens = sum(labels.cost.tokens for _, labels in labelled)
    return {
        "traces": len(labelled),
        "exact": exact / len(labelled),
        "tokens": tokens / len(labelled),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("traces")
    options.add_argument("bank", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("--problems", type=int, default=180)
    asked = options.parse_args()
    groups = itertools.groupby(prmdata.read(asked.traces), key=lambda t: t.problem.id)
    traces = [t for _, g in itertools.islice(groups, asked.problems) for t in g if t.error is None]
    found = {}
    for name, how in LABELS.items():
        made = how(traces, f"bank:{asked.bank.resolve()}")
        tokens = {"tokenizer": str(ABACUS_MODEL)}
        prmdata.export(made, to="tokens", output=str(asked.out / name), settings=tokens)
        found[name] = counts(made)
        print(name, found[name])
    (asked.out / "counts.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
