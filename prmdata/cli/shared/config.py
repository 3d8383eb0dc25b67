"""`--config FILE`: options from a TOML file, which the command line overrides.

Keys at the top are for every command that has such an option; a table named for a command is for
that one alone. `set = { rollouts_per_probe = 8 }` stands for `--set rollouts_per_probe=8`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer._click import Context, Parameter
    from typer.core import TyperCommand

OPTION = "--config"


def from_config(command: TyperCommand, ctx: Context, args: list[str]) -> list[str]:
    """The arguments with those of the file before them, so that what was typed comes last."""
    path, typed = _taken(args)
    if path is None:
        return args
    found = _read(ctx, path)
    own = found.pop(ctx.info_name or "", {})
    parameters = {name: p for p in command.params for name in _names(p)}
    elsewhere = _names_elsewhere(ctx)
    options: list[str] = []
    for key, value in {**found, **own}.items():
        name = key.replace("_", "-")
        parameter = parameters.get(name)
        if parameter is None:
            if key in own or (not isinstance(value, Mapping) and name not in elsewhere):
                ctx.fail(
                    f"{OPTION} {path}: prmdata {ctx.info_name} has no option '{key}'"
                    f"{_nearest(name, parameters)}"
                )
        elif parameter.param_type_name == "argument":
            ctx.default_map = {**(ctx.default_map or {}), str(parameter.name): value}
        else:
            options += _words(parameter, value)
    return [*options, *typed]


def _taken(args: list[str]) -> tuple[str | None, list[str]]:
    """The file that is named, and the other arguments."""
    for index, word in enumerate(args):
        if word == "--":
            break
        if word == OPTION and index + 1 < len(args):
            return args[index + 1], [*args[:index], *args[index + 2 :]]
        if word.startswith(f"{OPTION}="):
            return word.partition("=")[2], [*args[:index], *args[index + 1 :]]
    return None, args


def _read(ctx: Context, path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        ctx.fail(f"{OPTION} {path}: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        ctx.fail(f"{OPTION} {path}: not TOML: {error}")


def _names(parameter: Parameter) -> Iterator[str]:
    yield str(parameter.name).replace("_", "-")
    yield from (name.removeprefix("--") for name in parameter.opts if name.startswith("--"))


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _names_elsewhere(ctx: Context) -> set[str]:
    """Options that some other command has: a file may serve several."""
    commands = getattr(ctx.parent.command if ctx.parent else None, "commands", {})
    return {name for c in commands.values() for p in c.params for name in _names(p)}


def _words(parameter: Parameter, value: Any) -> list[str]:
    option = max(parameter.opts, key=len)
    if isinstance(value, bool):
        return [option] if value else []
    if isinstance(value, Mapping):
        return [word for k, v in value.items() for word in (option, f"{k}={_text(v)}")]
    if isinstance(value, list):
        return [word for part in value for word in (option, _text(part))]
    return [option, _text(value)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
