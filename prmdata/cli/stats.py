"""`prmdata stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from prmdata.cli.shared import options as o

if TYPE_CHECKING:
    from collections.abc import Mapping


def stats(
    source: o.Source = "-",
    rates: Annotated[
        bool,
        typer.Option(
            "--rates",
            help="How often answers are wrong beside how often steps are, by level, subject and "
            "pass rate.",
        ),
    ] = False,
    evidence: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --rates: whose verdicts on steps are counted. Default: the labels'.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Count traces, steps, evidence and labels.

    $ prmdata stats labelled.jsonl
    $ prmdata stats labelled.jsonl --rates
    """
    from prmdata.cli.shared import running
    from prmdata.cli.shared.figures import print_figures
    from prmdata.errors import UsageError
    from prmdata.files import read_traces
    from prmdata.report import stats as counting
    from prmdata.report.rates import rates as rated

    if evidence is not None and not rates:
        raise UsageError("--evidence says whose verdicts --rates counts; give --rates too")
    running.say_waiting("stats", source)
    if not rates:
        print_figures(counting.stats(read_traces(source)), json)
        return
    figures = rated(read_traces(source), evidence)
    if json:
        print_figures(figures, json)
    else:
        _print_table(figures)


HEADER = (
    "GROUP",
    "TRACES",
    "OUTCOME ERROR",
    "WITH A WRONG STEP",
    "STEP ERROR",
    "FIRST AT",
    "WEIGHT",
)


def _print_table(figures: Mapping[str, Mapping[str, Any]]) -> None:
    from prmdata.terminal import print_line, visible

    rows = [HEADER, *(_row(visible(name), found) for name, found in figures.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print_line("  ".join(cells).rstrip())


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("outcome error", "traces with a wrong step", "step error")
    numbers = (found["first wrong step at"], found.get("weight"))
    shares = (_share(found[key]) for key in names)
    plain = ("-" if number is None else f"{number:.2f}" for number in numbers)
    return (name, f"{found['traces']:,}", *shares, *plain)


def _share(rate: Mapping[str, float] | None) -> str:
    if rate is None:
        return "unknown"
    return f"{rate['share']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
