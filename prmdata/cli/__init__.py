"""The command line: one thin file a subcommand, and the one place where known errors are caught."""

from __future__ import annotations

import errno
import functools
import gc
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from prmdata.cli import (
    audit,
    catalog,
    demo,
    estimate,
    export,
    fit,
    generate,
    label,
    merge,
    mutate,
    score,
    serve,
    show,
    stats,
    truth,
    verify,
)
from prmdata.cli import import_traces as take_in
from prmdata.errors import PrmdataError
from prmdata.terminal import print_error, print_line

app = typer.Typer(
    name="prmdata",
    help="Process-supervision datasets: step-level labels on reasoning traces, measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What stdout may say while it is written; files are written under a name of their own."""
MAKE, LOOK, LIST = "Make a dataset", "Look at it", "What there is"


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Known errors become one message and the right exit code; a closed pipe ends us quietly."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()
        except PrmdataError as error:
            print_error(f"prmdata {command.__name__.rstrip('_')}: {error}")
            _drop_unwritten()
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            _drop_unwritten()
            raise typer.Exit(0) from None
        except OSError as error:
            if error.filename is not None or error.errno not in FULL:
                raise
            said = f"standard output: cannot write ({os.strerror(error.errno)})"
            print_error(f"prmdata {command.__name__.rstrip('_')}: {said}")
            _drop_unwritten()
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return run


def _drop_unwritten() -> None:
    """What stdout would not take is not tried again when the process ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


COMMANDS: dict[str, list[Callable[..., None]]] = {
    MAKE: [
        generate.generate,
        take_in.import_,
        verify.verify,
        mutate.mutate,
        estimate.estimate,
        label.label,
        fit.fit,
        export.export,
        merge.merge,
        serve.serve,
    ],
    LOOK: [show.show, stats.stats, score.score, audit.audit, truth.truth, demo.demo],
    LIST: [catalog.methods, catalog.formats, catalog.sources],
}
for panel, commands in COMMANDS.items():
    for each in commands:
        app.command(each.__name__.rstrip("_"), rich_help_panel=panel)(guarded(each))


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from prmdata.version import VERSION

        print_line(VERSION)
        raise typer.Exit


def main() -> None:
    # Records hold no cycles; looking for some at every 700 new objects takes a fifth of the time.
    gc.set_threshold(100_000, 20, 20)
    app(prog_name="prmdata")
