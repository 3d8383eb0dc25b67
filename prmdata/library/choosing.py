"""Functions from traces to what is trained on: `choose`, `credit_`, `thoughts` and `merge`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from prmdata.credit import FORMS
from prmdata.dataset.choosing import By
from prmdata.library.running import Traces, as_file, traces_from
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.stages.choose import Choosing, run_choose
from prmdata.stages.credit import Crediting, run_credit
from prmdata.stages.merge import Merging, run_merge
from prmdata.stages.thoughts import Thinking, run_thoughts


def choose(
    traces: Traces,
    *,
    n: int | None = None,
    target: float | None = None,
    pairs: bool = False,
    rollouts: int | None = None,
    by: By = "variance",
    discount: float = 1.0,
    seed: int = 0,
    progress: bool = False,
) -> list[Trace]:
    """The traces of problems chosen by their pass rates, or each problem's most telling traces.

    Say how: `target` with `n`, `pairs`, or `rollouts`.
    """
    with as_file(traces) as source:
        request = Choosing(source, n, target, pairs, rollouts, by, discount, seed)
        return traces_from(lambda output, options: run_choose(request, output, options), progress)


def credit_(
    traces: Traces,
    *,
    form: str = "td",
    settings: Mapping[str, object] | None = None,
    progress: bool = False,
) -> list[Trace]:
    """The traces with credit for RL, made of the rewards or values of their steps.

    It stands in the rewards of evidence named `credit`, which `export(…, to="credit")` reads.
    """
    how = make(FORMS, form, settings or {})
    with as_file(traces) as source:
        return traces_from(
            lambda output, options: run_credit(Crediting(source, form, how), output, options),
            progress,
        )


def thoughts(
    traces: Traces,
    *,
    evidence: str | None = None,
    threshold: float = 0.5,
    penalty: float = 1.0,
    progress: bool = False,
) -> list[Trace]:
    """The traces with steps of the same verdict joined into thoughts, each with one reward."""
    with as_file(traces) as source:
        request = Thinking(source, evidence, threshold, penalty)
        return traces_from(lambda output, options: run_thoughts(request, output, options), progress)


def merge(*sources: Traces) -> list[Trace]:
    """Shards as one, sorted by problem, so that a problem's traces stand together.

    A trace that is in several is kept once; two under one id are refused.
    """
    with contextlib.ExitStack() as opened:
        paths = tuple(opened.enter_context(as_file(source)) for source in sources)
        return traces_from(
            lambda output, options: run_merge(Merging(paths), output, options), False
        )
