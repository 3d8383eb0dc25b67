"""The stages as functions, for notebooks and scripts. They hold their traces in memory.

    import prmdata

    traces = prmdata.generate("abacus:20", samples=4)
    labelled = prmdata.label(traces)
    prmdata.export(labelled, to="stepwise", output="dataset")

For what does not fit in memory, or takes a night, use the commands: they stream and resume.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from prmdata import files, labellers
from prmdata.audit.ledger import Ending, draw
from prmdata.dataset.selection import Selection
from prmdata.errors import OutputError, UsageError
from prmdata.exports import FORMATS
from prmdata.files import paths
from prmdata.grading import answer_rule
from prmdata.imports import IMPORTS, layout_for
from prmdata.labellers.contract import Verb
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.report.score import score as scored
from prmdata.report.show import render
from prmdata.report.stats import stats as counted
from prmdata.run.output import ListOutput, Output
from prmdata.run.stage import RunOptions
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.stages import publish as hub
from prmdata.stages.export import Exporting, run_export
from prmdata.stages.fit import Fitting, run_fit, write_policy
from prmdata.stages.generate import Generating, run_generate
from prmdata.stages.grade import Grading, run_grade
from prmdata.stages.import_traces import TakingIn, run_import
from prmdata.stages.label import Labelling, run_labelling
from prmdata.stages.mutate import Mutating, run_mutate
from prmdata.stages.verify import Verifying, run_verify
from prmdata.terminal import say
from prmdata.traces.generate import Generation
from prmdata.truth import truth_of
from prmdata.verifiers import VERIFIERS
from prmdata.verifiers.code.variants import VariantSettings

T = TypeVar("T")
Rows = str | os.PathLike[str] | Iterable[Mapping[str, Any]]
"""A file, or its rows as dictionaries."""
Traces = str | os.PathLike[str] | Iterable[Trace]
"""A file of traces, or the traces."""


def generate(
    source: Rows,
    *,
    sampler: str | None = None,
    limit: int | None = None,
    fields: Mapping[str, str] | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> list[Trace]:
    """Traces for problems: `abacus:20`, `hub:NAME`, a file, or rows as dictionaries.

    `how`: fields of `Generation`, such as samples, seed, temperature. With `progress`, the run
    tells on stderr how far it is.
    """
    generation = Generation(**how)
    with _rows_as_file(source) as path:
        request = Generating(
            path,
            fields=fields,
            limit=limit,
            sampler=sampler,
            engine=engine,
            grader=grader,
            generation=generation,
        )
        return _traces(
            lambda output, options: run_generate(request, output, options), progress, store
        )


def estimate(
    traces: Iterable[Trace], *, method: str = "mc", settings: Mapping[str, Any] | None = None,
    sampler: str | None = None, reference: str | None = None, seed: int = 0, grader: str = "auto",
    engine: Mapping[str, str] | None = None, store: str | None = None, progress: bool = False,
) -> list[Trace]:  # fmt: skip
    """The traces with the method's evidence added."""
    return _labelled(
        "estimate", traces, method, settings, sampler, seed, grader, engine, store, reference,
        progress=progress,
    )  # fmt: skip


def label(
    traces: Iterable[Trace], *, method: str = "posterior",
    settings: Mapping[str, Any] | None = None,
    sampler: str | None = None, seed: int = 0, grader: str = "auto",
    engine: Mapping[str, str] | None = None, store: str | None = None, progress: bool = False,
) -> list[Trace]:  # fmt: skip
    """The traces with their first wrong step decided."""
    return _labelled(
        "label", traces, method, settings, sampler, seed, grader, engine, store, progress=progress
    )


def export(
    traces: Iterable[Trace],
    *,
    output: str,
    to: str = "stepwise",
    settings: Mapping[str, Any] | None = None,
    **chosen: Any,
) -> dict[str, Any]:
    """Write a dataset; the counts of what went in and what was left out.

    `chosen`: fields of `Selection`, such as `per_problem` or `balance`.
    """
    asked = Exporting(to, make(FORMATS, to, settings or {}), selection=Selection(**chosen))
    counts = run_export(asked, output, overwrite=True, traces=traces)
    assert counts is not None
    return counts


def publish(folder: str, repo: str, *, public: bool = False) -> str:
    """Upload a dataset that `export` wrote to the Hugging Face hub; its address there.

    It takes one commit, and makes the repository where there is none: a private one, unless
    `public`.
    """
    hub.check_publishing(repo, folder)
    return hub.publish(hub.Upload.of(folder, repo), public=public, quiet=True)


def score(traces: Iterable[Trace], *, truth: str = "evidence") -> dict[str, Any]:
    """Labels measured against the truth: `abacus`, or the `evidence` that the traces carry."""
    return scored(traces, lambda trace: truth_of(trace, truth))


def read(path: str | os.PathLike[str]) -> Iterator[Trace]:
    """Traces from a file or a directory of parts."""
    return files.readable(files.read_traces(os.fspath(path)))


def write(path: str | os.PathLike[str], traces: Iterable[Trace]) -> int:
    """Write traces to a local file in the format its name asks for; how many there were."""
    path = os.fspath(path)
    if paths.is_remote(path):
        raise OutputError(f"{path}: write to a local file, then copy it there")
    return files.write_traces(path, traces)


def verify(
    traces: Traces,
    *,
    tools: str | Iterable[str] = "arithmetic",
    settings: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> list[Trace]:
    """The traces with the verdicts of tools added as evidence; `settings` are those of one tool."""
    names = [tools] if isinstance(tools, str) else [*tools]
    if len(names) > 1 and settings:
        raise UsageError("settings are those of one tool: verify with several one after another")
    chosen = {name: make(VERIFIERS, name, settings or {}) for name in names}
    with _as_file(traces) as source:
        return _traces(
            lambda output, options: run_verify(Verifying(source, chosen), output, options), progress
        )


def import_(
    source: Rows,
    *,
    layout: str | None = None,
    fields: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    grader: str = "auto",
    answers: str = "last",
    progress: bool = False,
) -> list[Trace]:
    """Traces out of process data that exists: a file, or rows as dictionaries.

    `layout` is one of `prmdata sources`, by default recognised by the columns of the first row;
    `fields` names the columns of any other.
    """
    chosen = dict(settings or {})
    if fields:
        chosen["fields"] = dict(fields)
        layout = layout or layout_for(fields)
    if layout is not None:
        make(IMPORTS, layout, chosen)
    with _rows_as_file(source) as path:
        request = TakingIn(path, layout, chosen, grader, answer_rule(answers))
        return _traces(lambda output, options: run_import(request, output, options), progress)


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

    with _rows_as_file(rows) as path:
        return _run(graded(path))


def mutate(
    traces: Traces,
    *,
    mutations: int = 3,
    refactorings: int = 2,
    lines: int = 100,
    deadline_s: float = 2.0,
    seed: int = 0,
    sandbox: str = "auto",
    progress: bool = False,
) -> list[Trace]:
    """Programs that pass their tests, with single lines rewritten and labelled by the tests."""
    how = VariantSettings(mutations, refactorings, lines, deadline_s, seed)
    with _as_file(traces) as source:
        return _traces(
            lambda output, options: run_mutate(Mutating(source, how, sandbox), output, options),
            progress,
        )


def fit(
    traces: Traces,
    *,
    output: str | os.PathLike[str],
    pilot: int = 200,
    rollouts_per_step: int = 4,
    tokens_per_trace: int | None = None,
    sampler: str | None = None,
    seed: int = 0,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    store: str | None = None,
    progress: bool = False,
) -> None:
    """Measure a policy on up to `pilot` traces and write what `posterior` reads as `policy`."""
    with _as_file(traces) as source:
        request = Fitting(
            source,
            pilot,
            rollouts_per_step,
            tokens_per_trace,
            sampler=sampler,
            engine=engine or {},
            grader=grader,
            rollouts=RolloutSettings(seed=seed),
        )
        report = say if progress else lambda line: None
        write_policy(_run(run_fit(request, _options(store, progress), report)), os.fspath(output))


def stats(traces: Iterable[Trace]) -> dict[str, Any]:
    """Counts: how traces end, how long they are, what is known of their steps."""
    return counted(traces)


def show(trace: Trace, *, width: int = 100) -> str:
    """A trace as text, its steps marked by label, with the evidence beside them."""
    from rich.console import Console

    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(render(trace))
    return captured.get()


def audit_sample(
    traces: Iterable[Trace], n: int = 50, *, seed: int = 0, only: Ending = "all"
) -> list[Trace]:
    """A fair sample to judge by hand, as `prmdata audit` draws it."""
    return draw(traces, n, seed, only)


def _labelled(
    verb: Verb,
    traces: Iterable[Trace],
    method: str,
    settings: Mapping[str, Any] | None,
    sampler: str | None,
    seed: int,
    grader: str,
    engine: Mapping[str, str] | None,
    store: str | None,
    reference: str | None = None,
    *,
    progress: bool,
) -> list[Trace]:
    asked = Labelling(
        verb,
        method,
        labellers.method(method, verb, settings or {}),
        sampler=sampler,
        reference=reference,
        engine=engine or {},
        grader=grader,
        rollouts=RolloutSettings(seed=seed),
    )
    return _traces(
        lambda output, options: run_labelling(asked, output, options, traces), progress, store
    )


def _options(store: str | None, progress: bool = False) -> RunOptions:
    return RunOptions(store=store, quiet=not progress)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also where a loop is running already, as in notebooks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
            failed.append(error)

    thread = threading.Thread(target=run, name="prmdata")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


Work = Callable[[Output, RunOptions], Coroutine[Any, Any, Any]]


def _traces(work: Work, progress: bool, store: str | None = None) -> list[Trace]:
    output = ListOutput()
    _run(work(output, _options(store, progress)))
    return output.traces


@contextlib.contextmanager
def _as_file(traces: Traces) -> Iterator[str]:
    """Stages read files, and what is in memory goes into one for as long."""
    if isinstance(traces, (str, os.PathLike)):
        yield os.fspath(traces)
        return
    with tempfile.TemporaryDirectory(prefix="prmdata-") as folder:
        path = str(Path(folder) / "traces.jsonl")
        files.write_traces(path, traces)
        yield path


@contextlib.contextmanager
def _rows_as_file(rows: Rows) -> Iterator[str]:
    if isinstance(rows, (str, os.PathLike)):
        yield os.fspath(rows)
        return
    with tempfile.TemporaryDirectory(prefix="prmdata-") as folder:
        path = Path(folder) / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(row)) + "\n" for row in rows)
        yield str(path)
