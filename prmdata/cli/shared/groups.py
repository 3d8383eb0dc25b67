"""Groups of options: a command names a group, and `grouped` spells out its options for typer.

@grouped
def label(source: o.Source = "-", *, model: Model, run: Running) -> None: ...
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prmdata.cli.shared import options as o

Command = Callable[..., None]


@dataclass(frozen=True)
class Share:
    """Which problems of the source are worked on."""

    limit: o.Limit = None
    shard: o.Shard = None


@dataclass(frozen=True)
class Scale:
    """Where a stage runs."""

    engine: o.Engine = "here"
    parts: o.Parts = None


@dataclass(frozen=True)
class Model:
    """What samples, and how its answers are graded."""

    sampler: o.Sampler = None
    engine_arg: o.EngineArg = None
    grader: o.Grader = "auto"
    seed: o.Seed = 0


@dataclass(frozen=True)
class RolloutFlags:
    """Where rollouts differ from the traces that they continue."""

    temperature: o.RolloutTemperature = None
    top_p: o.RolloutTopP = None
    top_k: o.RolloutTopK = None
    max_tokens: o.RolloutTokens = None
    stop: o.RolloutStop = None
    cut: o.Cut = "miss"
    template_arg: o.RolloutTemplateArg = None
    system: o.RolloutSystem = None


@dataclass(frozen=True)
class Acting:
    """What answers the calls of tools."""

    environment: o.Environment = None
    environment_arg: o.EnvironmentArg = None
    turns: o.Turns = None
    episode_time: o.EpisodeTime = None
    observation: o.Observation = None


@dataclass(frozen=True)
class Forecast:
    """Whether the cost is only estimated."""

    dry_run: o.DryRun = False
    tokens_per_second: o.TokensPerSecond = None


@dataclass(frozen=True)
class Spending:
    """How a run that samples goes about it."""

    concurrency: o.Concurrency = 256
    max_tokens_total: o.MaxTokensTotal = None
    store: o.Store = o.STORE
    give_up: o.GiveUp = "10m"


@dataclass(frozen=True)
class Reporting:
    """What a run tells, and what becomes of an output that is there already."""

    overwrite: o.Overwrite = False
    summary: o.Summary = None
    max_errors: o.MaxErrors = "1%"
    json: o.Json = False
    quiet: o.Quiet = False
    verbose: o.Verbose = False


def spelled(command: Command) -> Command:
    """The command as typer must see it: every option of its groups is a parameter."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, type] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and dataclasses.is_dataclass(parameter.annotation)
    }

    @functools.wraps(command)
    def run(**options: Any) -> None:
        made = {name: _taken(kind, options) for name, kind in groups.items()}
        command(**options, **made)

    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        own = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        parameters += _parameters(groups[name]) if name in groups else [own]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {}  # typer would evaluate them once more
    return run


def _taken(kind: type, options: dict[str, Any]) -> Any:
    return kind(**{field.name: options.pop(field.name) for field in dataclasses.fields(kind)})


def _parameters(kind: type) -> list[inspect.Parameter]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(kind)
    ]
