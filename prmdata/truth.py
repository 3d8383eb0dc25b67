"""What is known for certain of a trace's steps: `kind: truth`, which labellers never see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from prmdata import imports
from prmdata.errors import InputError, UsageError
from prmdata.files import read_traces, readable, rows
from prmdata.records import Evidence, Trace, Verdict
from prmdata.traces.lines import lines_of

TRUTHS = ("abacus", "worlds", "evidence")


def truth_of(trace: Trace, source: str) -> Evidence | None:
    if source == "abacus":
        return _abacus(trace)
    if source == "worlds":
        return _worlds(trace)
    if source == "evidence":
        return next((e for e in reversed(trace.evidence) if e.kind == "truth" and e.verdicts), None)
    raise UsageError(
        f"no truth '{source}': write abacus, worlds, evidence, or a file that is there"
    )


def truths(source: str) -> Callable[[Trace], Evidence | None]:
    """What tells a trace's truth: the oracle, the trace itself, or a file of the same traces."""
    if source in TRUTHS or not Path(source).exists():
        return lambda trace: truth_of(trace, source)
    known = dict(_of_file(source))
    return lambda trace: known.get(said(trace)) or known.get(wordless(trace))


def _of_file(path: str) -> Iterator[tuple[object, Evidence | None]]:
    """From our own records, or from ProcessBench, PRM800K and the like.

    Of several truths of a trace the last counts; one without verdicts takes back those before it.
    """
    first = next(rows.read(path), None)
    own = (
        first is None or not isinstance(first[0], dict) or isinstance(first[0].get("problem"), dict)
    )
    for trace in readable(read_traces(path) if own else imports.read(path, None, {})):
        truth = next((e for e in reversed(trace.evidence) if e.kind == "truth"), None)
        if truth is not None:
            yield said(trace), truth if truth.verdicts else None


def said(trace: Trace) -> tuple[str, tuple[str, ...]]:
    """Traces are the same when they say the same, whatever their ids; of traces without words, the
    id says which one it is."""
    texts = tuple(step.text.strip() for step in trace.steps)
    return (trace.problem.question.strip(), texts) if any(texts) else wordless(trace)


def wordless(trace: Trace) -> tuple[str, tuple[str, ...]]:
    """What a trace is known by in a file that has no words of it."""
    return "", (trace.id,)


def _worlds(trace: Trace) -> Evidence | None:
    """The oracle's judgement of the actions of an agent in one of the small worlds."""
    from prmdata.worlds import judge

    if trace.problem.meta.get("source") != "worlds":
        return None
    judged = judge(trace.problem, trace.steps)
    return Evidence(name="worlds", kind="truth", verdicts=judged.verdicts, notes=judged.notes)


def _abacus(trace: Trace) -> Evidence | None:
    """The oracle's judgement of a trace on one of the embedded world's problems."""
    from prmdata.abacus import GENERATOR_VERSION, judge, story

    meta = trace.problem.meta
    if meta.get("source") != "abacus":
        return None
    if meta.get("generator") != GENERATOR_VERSION:
        raise InputError(
            f"trace {trace.id}: its problem was made by generator {meta.get('generator')}, this "
            f"is {GENERATOR_VERSION}; generate the traces again"
        )
    told = story(meta["seed"], meta["index"], meta["level"])
    if told.question != trace.problem.question:
        raise InputError(f"trace {trace.id}: its question is not the one its id stands for")
    verdicts: list[Verdict] = []
    notes: list[str | None] = []
    lines = [(line, at) for line, at in zip(*lines_of(trace), strict=True) if line.strip()]
    judged = judge(told, [line for line, _ in lines])
    for index in range(len(trace.steps)):
        steps = [step for step, (_, at) in zip(judged.steps, lines, strict=True) if at == index]
        wrong = next((step for step in steps if not step.right), None)
        verdicts.append("right" if wrong is None else "wrong")
        notes.append(None if wrong is None else wrong.error)
    return Evidence(name="abacus", kind="truth", verdicts=tuple(verdicts), notes=tuple(notes))


def first_error_known(truth: Evidence) -> bool:
    """Whether all steps are judged up to the first wrong one, or to the end."""
    first = truth.first_wrong
    judged = truth.verdicts if first is None else truth.verdicts[:first]
    return all(verdict == "right" for verdict in judged)
