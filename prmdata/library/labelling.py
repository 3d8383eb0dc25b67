"""Functions that decide or value steps: `estimate`, `label` and `fit`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from prmdata import labellers
from prmdata.library.running import (
    Traces,
    as_file,
    each_of,
    options_of,
    path_of,
    run,
    surroundings,
    traces_from,
)
from prmdata.records import Trace
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.stages.fit import Fitting, run_fit, write_policy
from prmdata.stages.label import Labelling, run_labelling
from prmdata.terminal import say


def estimate(
    traces: Traces,
    *,
    method: str = "mc",
    settings: Mapping[str, object] | None = None,
    sampler: str | None = None,
    reference: str | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    environment: str | None = None,
    environment_settings: Mapping[str, object] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> list[Trace]:
    """The traces with the method's evidence added.

    `reference` is the second model of methods that compare two. `how`: fields of
    `RolloutSettings`, such as seed, temperature, max_tokens.
    """
    request = Labelling(
        "estimate",
        method,
        labellers.method(method, "estimate", settings or {}),
        path_of(traces),
        sampler=sampler,
        reference=reference,
        engine=engine or {},
        grader=grader,
        rollouts=RolloutSettings(**how),
        surroundings=surroundings(environment, environment_settings),
    )
    return _labelled(traces, request, store, progress)


def label(
    traces: Traces,
    *,
    method: str = "posterior",
    settings: Mapping[str, object] | None = None,
    sampler: str | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    environment: str | None = None,
    environment_settings: Mapping[str, object] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> list[Trace]:
    """The traces with their first wrong step decided.

    `how`: fields of `RolloutSettings`, such as seed, temperature, max_tokens.
    """
    request = Labelling(
        "label",
        method,
        labellers.method(method, "label", settings or {}),
        path_of(traces),
        sampler=sampler,
        engine=engine or {},
        grader=grader,
        rollouts=RolloutSettings(**how),
        surroundings=surroundings(environment, environment_settings),
    )
    return _labelled(traces, request, store, progress)


def fit(
    traces: Traces,
    *,
    output: str | os.PathLike[str],
    pilot: int = 200,
    rollouts_per_step: int = 4,
    tokens_per_trace: int | None = None,
    truth: str | None = None,
    sampler: str | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> None:
    """Measure a policy on up to `pilot` traces and write what `posterior` reads as `policy`.

    With `truth` (`abacus`, `evidence` or a file), also what signals such as those of certainty are
    worth. `how`: fields of `RolloutSettings`, such as seed.
    """
    with as_file(traces) as source:
        request = Fitting(
            source,
            pilot,
            rollouts_per_step,
            tokens_per_trace,
            sampler=sampler,
            engine=engine or {},
            grader=grader,
            rollouts=RolloutSettings(**how),
            truth=truth,
        )
        report = say if progress else lambda line: None
        write_policy(run(run_fit(request, options_of(store, progress), report)), os.fspath(output))


def _labelled(traces: Traces, request: Labelling, store: str | None, progress: bool) -> list[Trace]:
    given = None if request.source is not None else [*each_of(traces)]
    return traces_from(
        lambda output, options: run_labelling(request, output, options, given), progress, store
    )
