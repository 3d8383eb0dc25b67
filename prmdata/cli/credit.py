"""`prmdata credit`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting, Scale


def credit(
    source: o.Source = "-",
    output: o.Output = "-",
    form: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How rewards or values become credit: batch, group, min, sum, td or turn; "
            "`prmdata methods NAME` describes one with its settings.",
            rich_help_panel=o.METHOD,
        ),
    ] = "td",
    settings: o.Settings = None,
    shard: o.Shard = None,
    *,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Turn the rewards or values of steps into credit for RL.

    Credit is written as the rewards of evidence named `credit`, which `export --to credit` reads.

    $ prmdata credit valued.jsonl -o credited.jsonl
    $ prmdata credit valued.jsonl --form min --set outcome=1 -o credited.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.credit import FORMS
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.credit import Crediting, run_credit
    from prmdata.stages.groups import parse_shard

    how = make(FORMS, form, pairs(settings or (), "--set"))
    request = Crediting(source, form, how, shard=parse_shard(shard))
    running.say_waiting("credit", source)
    running.run(
        "credit",
        request,
        output,
        run_credit,
        reporting,
        scale=scale,
    )
