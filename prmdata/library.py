"""The stages as functions, for notebooks and scripts. They hold their traces in memory.

    import prmdata

    traces = prmdata.generate("abacus:20", samples=4)
    labelled = prmdata.label(traces)
    prmdata.export(labelled, to="stepwise", output="dataset")

For what does not fit in memory, or takes a night, use the commands: they stream and resume.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from prmdata import files, labellers
from prmdata.dataset.selection import Selection
from prmdata.errors import OutputError
from prmdata.exports import FORMATS
from prmdata.files import paths
from prmdata.labellers.contract import Verb
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.report.score import score as scored
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.stages import publish as hub
from prmdata.stages.export import Exporting, run_export
from prmdata.stages.generate import Generating, run_generate
from prmdata.stages.label import Labelling, run_labelling
from prmdata.traces.generate import Generation
from prmdata.truth import truth_of

T = TypeVar("T")


def generate(
    source: str,
    *,
    sampler: str | None = None,
    limit: int | None = None,
    fields: Mapping[str, str] | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    store: str | None = None,
    **how: Any,
) -> list[Trace]:
    """Traces for the problems of `source`; `how`: fields of `Generation`, such as samples, seed."""
    request = Generating(
        source,
        fields=fields,
        limit=limit,
        sampler=sampler,
        engine=engine,
        grader=grader,
        generation=Generation(**how),
    )
    output = ListOutput()
    _run(run_generate(request, output, _options(store)))
    return output.traces


def estimate(
    traces: Iterable[Trace], *, method: str = "mc", settings: Mapping[str, Any] | None = None,
    sampler: str | None = None, reference: str | None = None, seed: int = 0, grader: str = "auto",
    engine: Mapping[str, str] | None = None, store: str | None = None,
) -> list[Trace]:  # fmt: skip
    """The traces with the method's evidence added."""
    return _labelled(
        "estimate", traces, method, settings, sampler, seed, grader, engine, store, reference
    )


def label(
    traces: Iterable[Trace], *, method: str = "posterior",
    settings: Mapping[str, Any] | None = None,
    sampler: str | None = None, seed: int = 0, grader: str = "auto",
    engine: Mapping[str, str] | None = None, store: str | None = None,
) -> list[Trace]:  # fmt: skip
    """The traces with their first wrong step decided."""
    return _labelled("label", traces, method, settings, sampler, seed, grader, engine, store)


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
    output = ListOutput()
    _run(run_labelling(asked, output, _options(store), traces))
    return output.traces


def _options(store: str | None) -> RunOptions:
    return RunOptions(store=store, quiet=True)


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
