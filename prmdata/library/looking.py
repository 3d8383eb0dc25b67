"""Functions that look at traces: `stats`, `score`, `show`, `report_` and `audit_sample`."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any

from prmdata.audit.ledger import Ending, draw
from prmdata.library.running import Traces, as_file, each_of
from prmdata.records import Trace
from prmdata.report.score import score as scored
from prmdata.report.show import render
from prmdata.report.stats import stats as counted
from prmdata.stages.report import Reporting, run_report
from prmdata.truth import truths


def stats(traces: Traces) -> dict[str, Any]:
    """Counts: how traces end, how long they are, what is known of their steps."""
    return counted(each_of(traces))


def score(traces: Traces, *, truth: str = "evidence") -> dict[str, Any]:
    """Labels measured against the truth: `abacus`, a file, or the `evidence` that traces carry."""
    return scored(each_of(traces), truths(truth))


def show(trace: Trace, *, width: int = 100, html: bool = False) -> str:
    """A trace as text or as HTML, its steps marked by label, with the evidence beside them."""
    from rich.console import Console

    if html:
        page = Console(width=width, file=io.StringIO(), record=True)
        page.print(render(trace))
        return page.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(render(trace))
    return captured.get()


def report_(
    *traces: Traces,
    output: str | os.PathLike[str],
    truth: str = "evidence",
    judged: int = 50,
    seed: int = 0,
) -> None:
    """Write traces, or several labellings of the same traces, as one page for a browser.

    `judged` traces are drawn for judging by hand in it.
    """
    with contextlib.ExitStack() as opened:
        paths = [opened.enter_context(as_file(part)) for part in traces]
        run_report(Reporting(paths, truth, judged, seed), os.fspath(output), quiet=True)


def audit_sample(
    traces: Traces, n: int = 50, *, seed: int = 0, only: Ending = "all"
) -> list[Trace]:
    """A fair sample to judge by hand, as `prmdata audit` draws it."""
    return draw(each_of(traces), n, seed, only)
