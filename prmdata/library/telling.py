"""Functions that say something of traces: `verify`, `judge`, `truth_` and `grade`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from prmdata.errors import UsageError
from prmdata.grading import answer_rule
from prmdata.judges import JUDGES
from prmdata.judges.contract import prompts_of
from prmdata.library.running import Rows, Traces, as_file, rows_as_file, run, traces_from
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.stages.grade import Grading, run_grade
from prmdata.stages.judge import Judging, evidence_names, run_judging
from prmdata.stages.truth import AddingTruth, run_truth
from prmdata.stages.verify import Verifying, run_verify
from prmdata.verifiers import VERIFIERS


def verify(
    traces: Traces,
    *,
    tools: str | Iterable[str] = "arithmetic",
    settings: Mapping[str, object] | None = None,
    progress: bool = False,
) -> list[Trace]:
    """The traces with the verdicts of tools added as evidence; `settings` are those of one tool."""
    names = [tools] if isinstance(tools, str) else [*tools]
    if len(names) > 1 and settings:
        raise UsageError("settings are those of one tool: verify with several one after another")
    chosen = {name: make(VERIFIERS, name, settings or {}) for name in names}
    with as_file(traces) as source:
        return traces_from(
            lambda output, options: run_verify(Verifying(source, chosen), output, options), progress
        )


def judge(
    traces: Traces,
    *,
    judge: str | None = None,
    way: str = "critique",
    settings: Mapping[str, object] | None = None,
    name: str | None = None,
    prompt: str | None = None,
    engine: Mapping[str, str] | None = None,
    seed: int = 0,
    store: str | None = None,
    progress: bool = False,
) -> list[Trace]:
    """The traces with what a model says of their steps added as evidence.

    `judge` is the model, named as a sampler is; `PRMDATA_JUDGE` may name it too. `way` is one of
    the ways of judging in `prmdata methods`; `name` is what the evidence is called, by default as
    the way; `prompt` is a file with a prompt of your own.
    """
    how = make(JUDGES, way, settings or {})
    [called] = evidence_names(way, [], name)
    with as_file(traces) as source:
        request = Judging(
            source,
            {called: how},
            {called: prompts_of(how, prompt)},
            judge or os.environ.get("PRMDATA_JUDGE"),
            engine or {},
            seed,
        )
        return traces_from(
            lambda output, options: run_judging(request, output, options), progress, store
        )


def truth_(traces: Traces, *, known_to: str = "abacus", progress: bool = False) -> list[Trace]:
    """The traces with the exact truth added as evidence, which only `score` reads."""
    with as_file(traces) as source:
        return traces_from(
            lambda output, options: run_truth(AddingTruth(source, known_to), output, options),
            progress,
        )


def grade(
    rows: Rows,
    *,
    fields: Mapping[str, str] | None = None,
    kind: str = "math",
    answers: str = "last",
    grader: str = "auto",
) -> list[dict[str, Any]]:
    """The rows with the columns extracted, grade, correct and score.

    `fields` says which columns hold the `response` and the `answer`.
    """

    async def graded(path: str) -> list[dict[str, Any]]:
        request = Grading(path, dict(fields or {}), kind, answer_rule(answers), grader)
        return [json.loads(line) async for line in run_grade(request, Counter())]

    with rows_as_file(rows) as path:
        return run(graded(path))
