"""The command that `repair` and `intervene` are: they differ in what they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import (
    Acting,
    Command,
    Forecast,
    Model,
    Reporting,
    RolloutFlags,
    Scale,
    Share,
    Spending,
)

if TYPE_CHECKING:
    from prmdata.labellers.contract import Verb


def correcting_command(verb: Verb, text: str) -> Command:
    def command(
        source: o.Source = "-",
        output: o.Output = "-",
        settings: o.Settings = None,
        teacher: Annotated[
            str | None,
            typer.Option(
                metavar="SPEC",
                help="A stronger model that writes the new step; named as --sampler "
                "is. Default: the sampler itself.",
                rich_help_panel=o.SAMPLING,
            ),
        ] = None,
        *,
        share: Share,
        model: Model,
        rollouts: RolloutFlags,
        acting: Acting,
        forecast: Forecast,
        spending: Spending,
        scale: Scale,
        reporting: Reporting,
    ) -> None:
        from prmdata.cli.shared import running
        from prmdata.cli.shared.labelling import request_of, say_forecast
        from prmdata.stages.correct import run_correcting

        request = request_of(verb, source, verb, settings, share, model, rollouts, acting, teacher)
        if forecast.dry_run:
            say_forecast(request, forecast)
            return
        running.say_waiting(verb, source)
        running.refuse_engine_in_pipe(model.sampler, source, output)
        running.run(
            verb,
            request,
            output,
            run_correcting,
            reporting,
            spending,
            scale,
        )

    command.__name__, command.__doc__ = verb, text
    return command
