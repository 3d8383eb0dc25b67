"""Functions that look for what would have been right: `repair` and `intervene`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prmdata.corrections import CORRECTIONS
from prmdata.library.running import Traces, as_file, surroundings, traces_from
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.stages.correct import run_correcting
from prmdata.stages.label import Labelling


def repair(
    traces: Traces,
    *,
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
    """Wrong traces continued from before their first wrong step: what then ends right comes after
    the traces of its problem.

    `how`: fields of `RolloutSettings`, such as seed, temperature, max_tokens.
    """
    request = Labelling(
        "repair",
        "repair",
        make(CORRECTIONS, "repair", settings or {}),
        sampler=sampler,
        engine=engine or {},
        grader=grader,
        rollouts=RolloutSettings(**how),
        surroundings=surroundings(environment, environment_settings),
    )
    return _corrected(traces, request, store, progress)


def intervene(
    traces: Traces,
    *,
    settings: Mapping[str, object] | None = None,
    sampler: str | None = None,
    teacher: str | None = None,
    grader: str = "auto",
    engine: Mapping[str, str] | None = None,
    environment: str | None = None,
    environment_settings: Mapping[str, object] | None = None,
    store: str | None = None,
    progress: bool = False,
    **how: Any,
) -> list[Trace]:
    """Wrong traces, and those in which one step in the place of the first wrong one helped.

    `teacher` is a stronger model that writes that step; by default the sampler does. `how`: fields
    of `RolloutSettings`, such as seed, temperature, max_tokens.
    """
    request = Labelling(
        "intervene",
        "intervene",
        make(CORRECTIONS, "intervene", settings or {}),
        sampler=sampler,
        reference=teacher,
        engine=engine or {},
        grader=grader,
        rollouts=RolloutSettings(**how),
        surroundings=surroundings(environment, environment_settings),
    )
    return _corrected(traces, request, store, progress)


def _corrected(
    traces: Traces, request: Labelling, store: str | None, progress: bool
) -> list[Trace]:
    with as_file(traces) as source:
        asked = replace(request, source=source)
        return traces_from(
            lambda output, options: run_correcting(asked, output, options), progress, store
        )
