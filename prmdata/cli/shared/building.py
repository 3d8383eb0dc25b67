"""A function of this package → a command of typer, built when it is asked for."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import typer
import typer.main

from prmdata import platforms
from prmdata.cli.shared.groups import Command, spelled
from prmdata.cli.shared.help import Page
from prmdata.cli.shared.options import Config
from prmdata.errors import PrmdataError
from prmdata.terminal import print_error

if TYPE_CHECKING:
    from typer._click import Command as Built

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""Errors of writing to stdout, EBADF where it is closed; writing to files reports its own."""
HELP = {"help_option_names": ["-h", "--help"]}


class Commands(MutableMapping[str, "Built"]):
    """Commands by name. `prmdata --help` builds none of them, which takes longer than all else."""

    def __init__(self, functions: Mapping[str, Command]) -> None:
        self.functions = functions
        self._built: dict[str, Built] = {}

    def __getitem__(self, name: str) -> Built:
        if name not in self._built:
            self._built[name] = build(name, self.functions[name])
        return self._built[name]

    def __setitem__(self, name: str, command: Built) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)


def name_of(function: Command) -> str:
    """`import_` → `import`."""
    return function.__name__.rstrip("_")


def build(name: str, function: Command) -> Built:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=Page, context_settings=HELP)(guarded(spelled(function)))
    return typer.main.get_command(app)


def guarded(command: Command) -> Command:
    """Turns known errors into one message and an exit code; a closed pipe ends quietly."""

    @functools.wraps(command)
    def run(**options: Any) -> None:
        options.pop("config")  # read before the others were parsed
        try:
            platforms.check()
            command(**options)
            sys.stdout.flush()
        except PrmdataError as error:
            print_error(f"prmdata {name_of(command)}: {error}")
            _drop_unwritten()
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            _drop_unwritten()
            raise typer.Exit(0) from None
        except OSError as error:
            if error.filename is not None or error.errno not in FULL:
                raise
            where = "" if _drop_unwritten() else "standard output: "
            reason = f"{where}cannot write ({os.strerror(error.errno)})"
            print_error(f"prmdata {name_of(command)}: {reason}")
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    signature = inspect.signature(command)
    config = inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Config
    )
    parameters = [*signature.parameters.values(), config]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


def _drop_unwritten() -> bool:
    """Give up what stdout would not take, so that it is not tried again at exit; whether all went
    out."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return False
    return True


def open_standard_files() -> None:
    """A closed stdin, stdout or stderr would be the next file that is opened, with what is printed
    in it: in its place goes one that cannot be read, or written, as it could not before."""
    for number, way in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, way), number)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
