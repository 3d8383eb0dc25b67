"""The command line: one thin file a command; `COMMANDS` is what `prmdata --help` shows."""

from __future__ import annotations

import gc
from typing import Any

import typer

from prmdata.cli import (
    audit,
    catalog,
    choose,
    credit,
    demo,
    doctor,
    estimate,
    export,
    fit,
    generate,
    grade,
    intervene,
    judge,
    label,
    merge,
    mutate,
    repair,
    report,
    score,
    serve,
    show,
    stats,
    store,
    thoughts,
    truth,
    verify,
)
from prmdata.cli import import_traces as take_in
from prmdata.cli.shared.building import HELP, Commands, name_of, open_standard_files
from prmdata.cli.shared.groups import Command
from prmdata.cli.shared.help import Contents
from prmdata.terminal import print_line

COMMANDS: dict[str, list[Command]] = {
    "Make a dataset": [
        generate.generate,
        take_in.import_,
        grade.grade,
        verify.verify,
        judge.judge,
        estimate.estimate,
        label.label,
        fit.fit,
        credit.credit,
        thoughts.thoughts,
        repair.repair,
        intervene.intervene,
        choose.choose,
        export.export,
        mutate.mutate,
        merge.merge,
        serve.serve,
    ],
    "Look at it": [
        show.show,
        stats.stats,
        score.score,
        report.report,
        audit.audit,
        truth.truth,
        demo.demo,
    ],
    "What there is": [
        catalog.methods,
        catalog.formats,
        catalog.sources,
        store.store,
        doctor.doctor,
    ],
}


class Program(Contents):
    """The program: its commands by panel, each built when it is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.panels = COMMANDS
        self.commands = Commands({name_of(f): f for panel in COMMANDS.values() for f in panel})


app = typer.Typer(
    name="prmdata",
    cls=Program,
    help="Process-supervision datasets: step-level labels on reasoning traces, measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=HELP,
)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from prmdata.version import VERSION

        print_line(VERSION)
        raise typer.Exit


def main() -> None:
    open_standard_files()
    # Records hold no cycles; looking for some at every 700 new objects takes a fifth of the time.
    gc.set_threshold(100_000, 20, 20)
    app(prog_name="prmdata")
