"""`grade`: rows with a response and a gold answer, or traces → the same with their grades."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from prmdata.errors import InputError, unknown
from prmdata.files import Unreadable, codec, paths, rows
from prmdata.files.nested import check_columns, value_at
from prmdata.grading import Grader, Verdict, gold_of
from prmdata.records import AnswerRule, Problem, Trace
from prmdata.stages.generate import MANY_UNPARSED
from prmdata.traces.generate import graded

COLUMNS: dict[str, tuple[str, ...]] = {
    "response": ("response", "completion", "completions", "responses", "output", "prediction"),
    "answer": ("answer", "gold", "ground_truth", "target", "reference", "solution"),
    "question": ("question", "problem", "prompt"),
    "kind": ("kind",),
}
"""What a row has → the columns that it is looked for in."""
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Grading:
    source: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """response, answer, question, kind → column."""
    kind: str = "math"
    answers: AnswerRule = "last"
    grader: str = "auto"

    def __post_init__(self) -> None:
        for name in self.fields:
            if name not in COLUMNS:
                raise unknown("field", name, COLUMNS)


async def run_grade(request: Grading, counts: Counter[str]) -> AsyncIterator[bytes]:
    """Lines of JSON in the order of the rows; grades are counted."""
    grader = Grader(request.grader, workers=2)
    try:
        for batch in _batches(request):
            for line, verdicts in await asyncio.gather(
                *(_graded(row, where, request, grader) for row, where in batch)
            ):
                counts["rows"] += 1
                counts.update(verdicts)
                yield line
        if not counts["rows"]:
            raise InputError("the input is empty; there is nothing to grade")
    finally:
        await grader.close()


def _batches(request: Grading) -> Iterator[list[tuple[dict[str, object], str]]]:
    batch: list[tuple[dict[str, object], str]] = []
    for row, where in rows.read(request.source):
        if isinstance(row, Unreadable):
            raise InputError(row.reason)
        if not batch and request.fields:
            check_columns([row], request.fields.values(), "--fields")
        batch.append((row, where))
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _graded(
    row: dict[str, object], where: str, request: Grading, grader: Grader
) -> tuple[bytes, list[str]]:
    """The row with its grade, and what to count."""
    if isinstance(row.get("problem"), Mapping) and "steps" in row:
        trace = codec.decode_trace(msgspec.json.encode(row), where)
        trace = replace(trace, origin=replace(trace.origin, answers=request.answers))
        trace = trace if trace.error is not None else await graded(trace, grader)
        return codec.encode(trace), [_counted(trace)]
    problem = _problem(row, where, request)
    found = _value(row, "response", request)
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        column = request.fields.get("response") or "response"
        raise InputError(
            f"{where}: there is no text to grade in column '{column}'; name the column: "
            "--fields response=COLUMN,answer=COLUMN"
        )
    verdicts = [await grader.grade(text, problem, request.answers) for text in texts]
    listed = {name: [_column(v, name, problem) for v in verdicts] for name in _RESULTS}
    columns = listed if isinstance(found, list) else {name: v[0] for name, v in listed.items()}
    return codec.encode({**row, **columns}), [str(grade) for grade in listed["grade"]]


_RESULTS = ("extracted", "grade", "correct", "score")


def _column(verdict: Verdict, name: str, problem: Problem) -> object:
    if name == "extracted":
        return verdict.answer
    if not problem.golds and problem.kind != "code":
        return None
    return verdict.grade if name == "grade" else getattr(verdict, name)


def _counted(trace: Trace) -> str:
    return "failed" if trace.error is not None else str(trace.grade)


def _problem(row: Mapping[str, object], where: str, request: Grading) -> Problem:
    gold = _value(row, "answer", request)
    listed = gold if isinstance(gold, list) else [gold]
    golds = [gold_of(str(one)) for one in listed if one is not None]
    question = _value(row, "question", request)
    context = row.get("context")
    return Problem(
        id=where,
        question=question if isinstance(question, str) else "?",
        answer=golds[0] if golds else None,
        kind=str(_value(row, "kind", request) or request.kind),
        context=context if isinstance(context, dict) else {},
        answers=tuple(golds[1:]),
    )


def _value(row: Mapping[str, object], name: str, request: Grading) -> object:
    if name in request.fields:
        return value_at(row, request.fields[name])
    taken = request.fields.values()
    columns = (column for column in COLUMNS[name] if column not in taken)
    return next((row[c] for c in columns if row.get(c) is not None), None)


async def write_graded(request: Grading, target: str, counts: Counter[str]) -> None:
    """To standard output, or to a file, which is there whole or not at all."""
    if target == "-":
        async for line in run_grade(request, counts):
            paths.open_stream("-").write(line + b"\n")
        return
    with paths.writing(target):
        unfinished = Path(f"{target}.unfinished")
        try:
            with unfinished.open("wb") as raw:
                async for line in run_grade(request, counts):
                    raw.write(line + b"\n")
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


def told(counts: Counter[str]) -> Iterator[str]:
    """The closing line, and a warning where many answers could not be read."""
    names = ("right", "wrong", "unparsed", "timeout")
    shown = ", ".join(
        f"{counts[name]:,} {name}" for name in names if counts[name] or name in names[:2]
    )
    if counts["None"]:
        shown += f", {counts['None']:,} without a gold answer"
    yield f"{counts['rows']:,} rows · {shown}"
    total = sum(counts[name] for name in names)
    if counts["unparsed"] > MANY_UNPARSED * total:
        yield (
            f"warning: {counts['unparsed']:,} of {total:,} answers "
            f"({counts['unparsed'] / total:.0%}) could not be read: try --answers last, or look at "
            "the column 'extracted'"
        )
