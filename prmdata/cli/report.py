"""`prmdata report`."""

from __future__ import annotations

from typing import Annotated

import typer

from prmdata.cli.shared import options as o


def report(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Traces, labelled or not: .jsonl[.gz|.zst] or .parquet files, or directories of "
            "such files. Several files of the same traces are compared.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help="The page to write."),
    ] = "report.html",
    truth: Annotated[
        str,
        typer.Option(
            metavar="abacus|evidence|FILE",
            help="Where the truth is: abacus, the exact oracle of the embedded problems; evidence, "
            "the truth that the traces carry; or a file of the same traces with their truth.",
        ),
    ] = "evidence",
    rollouts: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Take in the texts of the rollouts by which labels were found, from the store of "
            "that run (.prmdata/store).",
        ),
    ] = None,
    rollout_seed: Annotated[
        int, typer.Option(min=0, help="With --rollouts: the --seed of the run that labelled.")
    ] = 0,
    sample: Annotated[
        int,
        typer.Option(min=0, help="Traces to draw for judging in the page, as `audit` draws them."),
    ] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of that draw.")] = 0,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve", help="Serve the page instead of writing it: for files of any size."
        ),
    ] = False,
    host: Annotated[
        str, typer.Option(help="With --serve: the address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="With --serve: the port; 0 takes a free one.")
    ] = 8010,
    quiet: o.Quiet = False,
) -> None:
    """Write a page to look at traces, labels and searches in a browser, and to judge them there.

    $ prmdata report labelled.jsonl -o report.html
    $ prmdata report a.jsonl b.jsonl --truth abacus -o compare.html
    $ prmdata report labelled.parquet --serve --port 8010
    """
    from prmdata.cli.shared import running
    from prmdata.stages.report import Reporting, run_report, serve_report

    for source in sources:
        running.say_waiting("report", source)
    request = Reporting(sources, truth, sample, seed, rollouts, rollout_seed)
    if serve:
        serve_report(request, host, port, quiet=quiet)
        return
    run_report(request, output, quiet=quiet)
