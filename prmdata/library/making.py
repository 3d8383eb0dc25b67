"""Functions that make traces: `generate`, `import_` and `mutate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prmdata.grading import answer_rule
from prmdata.imports import IMPORTS, layout_for
from prmdata.library.running import Rows, Traces, as_file, rows_as_file, surroundings, traces_from
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.stages.generate import Generating, run_generate
from prmdata.stages.import_traces import TakingIn, run_import
from prmdata.stages.mutate import Mutating, run_mutate
from prmdata.traces.generate import Generation
from prmdata.verifiers.code.variants import VariantSettings


def generate(
    source: Rows,
    *,
    sampler: str | None = None,
    limit: int | None = None,
    fields: Mapping[str, str] | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    environment: str | None = None,
    environment_settings: Mapping[str, object] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> list[Trace]:
    """Traces for problems: `abacus:20`, `hub:NAME`, a file, or rows as dictionaries.

    `how`: fields of `Generation`, such as samples, seed, temperature. With `progress`, the run
    tells on stderr how far it is.
    """
    with rows_as_file(source) as path:
        request = Generating(
            path,
            fields=fields,
            limit=limit,
            sampler=sampler,
            engine=engine,
            grader=grader,
            generation=Generation(**how),
            surroundings=surroundings(environment, environment_settings),
        )
        return traces_from(
            lambda output, options: run_generate(request, output, options), progress, store
        )


def import_(
    source: Rows,
    *,
    layout: str | None = None,
    fields: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
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
    with rows_as_file(source) as path:
        request = TakingIn(path, layout, chosen, grader, answer_rule(answers))
        return traces_from(lambda output, options: run_import(request, output, options), progress)


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
    with as_file(traces) as source:
        return traces_from(
            lambda output, options: run_mutate(Mutating(source, how, sandbox), output, options),
            progress,
        )
